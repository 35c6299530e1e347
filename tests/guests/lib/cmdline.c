/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/cmdline.h"

#include <stddef.h>

#include "tests/guests/lib/cpu.h"

#define CMDLINE_SIZE 256u

/* From the loader; 0: there is none. */
extern uint64_t cmdline_gpa;

static char cmdline[CMDLINE_SIZE];

static uint8_t
byte_at(uint64_t gpa)
{
    uint8_t val;

    __asm__ volatile("movb (%1), %0" : "=q"(val) : "r"(gpa) : "memory");
    return val;
}

void
cmdline_init(void)
{
    for (size_t i = 0; cmdline_gpa && i < CMDLINE_SIZE - 1; i++) {
        cmdline[i] = (char)byte_at(cmdline_gpa + i);
        if (!cmdline[i])
            break;
    }
}

/* Length of the part of @word that @s begins with, if that is all of it. */
static size_t
prefix_length(const char *s, const char *word)
{
    size_t len = 0;

    while (word[len] && s[len] == word[len])
        len++;
    return word[len] ? 0 : len;
}

static bool
word_ends(char c)
{
    return c == ' ' || c == '\0';
}

const char *
cmdline_find(const char *word)
{
    bool begins = true;

    for (const char *s = cmdline; *s; s++) {
        size_t len = begins ? prefix_length(s, word) : 0;

        if (len && (s[len - 1] == '=' || word_ends(s[len])))
            return s + len;
        begins = *s == ' ';
    }
    return NULL;
}

/* 16 and above: no digit. */
static unsigned
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return 16;
}

uint64_t
cmdline_number(const char *word, uint64_t fallback)
{
    const char *s = cmdline_find(word);
    unsigned base = 10;
    uint64_t val = 0;

    if (!s)
        return fallback;
    if (s[0] == '0' && s[1] == 'x') {
        base = 16;
        s += 2;
    }
    while (digit_value(*s) < base)
        val = val * base + digit_value(*s++);
    return val;
}

bool
cmdline_selects(const char *name)
{
    const char *only = cmdline_find("only=");

    if (!only)
        return true;
    while (!word_ends(*only))
        if (*only++ != *name++)
            return false;
    return true;
}
