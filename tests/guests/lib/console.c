/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/console.h"

#include <stdarg.h>
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/xen.h"

/* 16550 at COM1. */
#define COM1          0x3f8u
#define UART_IER      (COM1 + 1)
#define UART_FCR      (COM1 + 2)
#define UART_LCR      (COM1 + 3)
#define UART_MCR      (COM1 + 4)
#define UART_LSR      (COM1 + 5)
#define FCR_ENABLE    0x07u /* and clear both FIFOs                        */
#define LCR_8N1       0x03u
#define MCR_DTR_RTS   0x03u
#define LSR_THR_EMPTY 0x20u
#define FIFO_SIZE     16u

/* A port that nobody empties must not stop the tests. */
#define LSR_POLLS 100000u

#define LINE_SIZE 256u

static char line[LINE_SIZE + 1]; /* "\r\n" goes in as one */
static size_t line_len;

static struct {
    const char *name;
    const char *skipped;
    bool failed;
    unsigned expectations;
} current;

static unsigned passed_count;
static unsigned failed_count;
static unsigned skipped_count;

static bool is_pv; /* without a serial port */

void
console_init(void)
{
    is_pv = boot_is_pvh && xen_console_init();
    if (is_pv)
        return;
    io_write8(UART_IER, 0);
    io_write8(UART_LCR, LCR_8N1);
    io_write8(UART_FCR, FCR_ENABLE);
    io_write8(UART_MCR, MCR_DTR_RTS);
}

/*
 * The transmit FIFO takes 16 bytes at once, and one string instruction is one
 * exit to the emulator.
 */
static void
uart_write_line(void)
{
    size_t off = 0;

    while (off < line_len) {
        size_t n = line_len - off < FIFO_SIZE ? line_len - off : FIFO_SIZE;
        const char *src = line + off;

        for (unsigned i = 0; i < LSR_POLLS; i++) {
            if (io_read8(UART_LSR) & LSR_THR_EMPTY)
                break;
            cpu_relax();
        }
        off += n;
        __asm__ volatile("rep outsb"
                         : "+S"(src), "+c"(n)
                         : "d"((uint16_t)COM1)
                         : "memory");
    }
}

static void
line_flush(void)
{
    if (is_pv)
        xen_console_write(line, line_len);
    else
        uart_write_line();
    line_len = 0;
}

static void
line_put(char c)
{
    if (c == '\n')
        line[line_len++] = '\r';
    line[line_len++] = c;
    if (c == '\n' || line_len >= LINE_SIZE)
        line_flush();
}

static void
line_put_number(uint64_t val, unsigned base)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[val % base];
        val /= base;
    } while (val);
    while (n)
        line_put(digits[--n]);
}

static void
line_put_string(const char *s)
{
    while (*s)
        line_put(*s++);
}

void
console_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            line_put(*fmt);
            continue;
        }
        switch (*++fmt) {
        case 's':
            line_put_string(va_arg(ap, const char *));
            break;
        case 'u':
            line_put_number(va_arg(ap, unsigned), 10);
            break;
        case 'x':
            line_put_number(va_arg(ap, unsigned), 16);
            break;
        case 'l': /* lx */
            fmt++;
            line_put_number(va_arg(ap, uint64_t), 16);
            break;
        default:
            line_put(*fmt);
        }
    }
    va_end(ap);
}

void
test_begin(const char *name)
{
    current.name = name;
    current.skipped = NULL;
    current.failed = false;
    current.expectations = 0;
}

/* Start the line of the first failure; later ones say nothing. */
static bool
failure_begins(const char *what)
{
    bool first = !current.failed;

    current.failed = true;
    if (first)
        console_print("FAIL %s: %s", current.name, what);
    return first;
}

bool
expect(bool ok, const char *what)
{
    current.expectations++;
    if (!ok && failure_begins(what))
        console_print(" (%u)\n", current.expectations);
    return ok;
}

bool
expect_eq(const char *what, uint64_t want, uint64_t got)
{
    current.expectations++;
    if (want != got && failure_begins(what))
        console_print(": expected %lx, saw %lx (%u)\n", want, got,
                      current.expectations);
    return want == got;
}

void
test_skip(const char *why)
{
    current.skipped = why;
}

void
test_end(void)
{
    if (!current.skipped)
        expect(current.expectations != 0, "the test checked nothing");
    if (current.failed) {
        failed_count++;
    } else if (current.skipped) {
        skipped_count++;
        console_print("SKIP %s: %s\n", current.name, current.skipped);
    } else {
        passed_count++;
        console_print("PASS %s\n", current.name);
    }
    current.name = NULL;
}

void
test_done(void)
{
    if (current.name)
        failed_count++;
    console_print("DONE %u passed %u failed %u skipped\n", passed_count,
                  failed_count, skipped_count);
}
