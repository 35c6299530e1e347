/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/cpu.h"

#include "tests/guests/lib/console.h"
#include "tests/guests/lib/xen.h"

#define MSR_APIC_BASE  0x1bu
#define APIC_BASE_EXTD (1u << 10)
#define APIC_BASE_EN   (1u << 11)
#define MSR_X2APIC     0x800u
#define MSR_GS_BASE    0xc0000101u

#define XAPIC_BASE 0xfee00000u

/* Local APIC registers, by their xAPIC offset. */
#define APIC_ID     0x020u
#define APIC_EOI    0x0b0u
#define APIC_LDR    0x0d0u
#define APIC_DFR    0x0e0u
#define APIC_SVR    0x0f0u
#define APIC_ICR    0x300u
#define APIC_ICR2   0x310u
#define APIC_LINT0  0x350u
#define LVT_MASKED  (1u << 16)
#define SVR_ENABLE  (1u << 8)
#define ICR_PENDING (1u << 12)

/* To all but self; assert. */
#define ICR_OTHERS_INIT    0xc4500u
#define ICR_OTHERS_STARTUP 0xc4600u
#define ICR_ASSERT         0x04000u

#define TRAMPOLINE 0x8000u

/* 8259 pair: all masked, the IOAPIC is what is tested. */
#define PIC1_DATA 0x21u
#define PIC2_DATA 0xa1u

/* 8254, channel 2: gate and output are at port 0x61. */
#define PIT_CH2      0x42u
#define PIT_CMD      0x43u
#define PIT_HZ       1193182u
#define PIT_CH2_ONCE 0xb0u /* both bytes, mode 0                           */
#define PORT_B       0x61u
#define PORT_B_GATE2 0x01u
#define PORT_B_SPKR  0x02u
#define PORT_B_OUT2  0x20u

#define VECTORS        256u
#define VECTOR_NMI     2u
#define VECTOR_FIRST   0x30u
#define VECTOR_LAST    0xdfu
#define VECTOR_WAKE    0xf0u
#define VECTOR_SPUR    0xffu
#define EXCEPTIONS     32u
#define ISR_ENTRY_SIZE 16u
#define CODE64         0x18u

struct irq_frame {
    uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct gate {
    uint16_t off_low;
    uint16_t selector;
    uint16_t attributes;
    uint16_t off_mid;
    uint32_t off_high;
    uint32_t reserved;
};

struct idt_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern const char isr_table[];
extern const char ap_trampoline[], ap_trampoline_end[];

static struct gate idt[VECTORS];
static volatile uint32_t counts[CPUS][VECTORS];
static volatile bool held[VECTORS];
static uint8_t next_vector = VECTOR_FIRST;

/* GS points at this processor's own. */
static struct cpu {
    uint32_t index;
    uint32_t apic_id;
    uint32_t logical_id;
    volatile uint32_t ready;
} cpus[CPUS];

static enum apic_mode apic_mode;
static uint64_t tsc_per_ms = 1; /* until it is measured                     */

static void (*volatile job)(void);
static volatile uint32_t job_running;

static uint64_t
tsc_read(void)
{
    uint32_t lo;
    uint32_t hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

static void
interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static void
interrupts_off(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static uint32_t
cpu_index(void)
{
    uint32_t index;

    __asm__ volatile("movl %%gs:0, %0" : "=r"(index));
    return index;
}

void
cpu_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}

bool
cpu_has_x2apic(void)
{
    return cpu_id(1, 0).ecx >> 21 & 1;
}

/* --- local APIC ----------------------------------------------------------- */

static uint32_t
apic_read(uint32_t off)
{
    if (apic_mode == APIC_X2APIC)
        return (uint32_t)msr_read(MSR_X2APIC + (off >> 4));
    return mmio_read32(XAPIC_BASE + off);
}

static void
apic_write(uint32_t off, uint32_t val)
{
    if (apic_mode == APIC_X2APIC)
        msr_write(MSR_X2APIC + (off >> 4), val);
    else
        mmio_write32(XAPIC_BASE + off, val);
}

static void
apic_send(uint32_t dest, uint32_t icr)
{
    if (apic_mode == APIC_X2APIC) {
        msr_write(MSR_X2APIC + (APIC_ICR >> 4), (uint64_t)dest << 32 | icr);
        return;
    }
    apic_write(APIC_ICR2, dest << 24);
    apic_write(APIC_ICR, icr);
    while (apic_read(APIC_ICR) & ICR_PENDING)
        cpu_relax();
}

static void
apic_enable(struct cpu *cpu)
{
    uint64_t base = msr_read(MSR_APIC_BASE) | APIC_BASE_EN;

    msr_write(MSR_APIC_BASE, base);
    if (apic_mode == APIC_X2APIC)
        msr_write(MSR_APIC_BASE, base | APIC_BASE_EXTD);
    apic_write(APIC_LINT0, LVT_MASKED);
    if (apic_mode == APIC_X2APIC) {
        cpu->apic_id = apic_read(APIC_ID);
        cpu->logical_id = apic_read(APIC_LDR);
    } else {
        cpu->apic_id = apic_read(APIC_ID) >> 24;
        cpu->logical_id = 1u << cpu->index;
        apic_write(APIC_DFR, ~0u);
        apic_write(APIC_LDR, cpu->logical_id << 24);
    }
    apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPUR);
}

uint32_t
cpu_apic_id(unsigned cpu)
{
    return cpus[cpu].apic_id;
}

uint32_t
cpu_logical_id(unsigned cpu)
{
    return cpus[cpu].logical_id;
}

/* --- time ----------------------------------------------------------------- */

/*
 * TSC ticks in ten milliseconds of the PIT's second channel, or more if the
 * processor was taken from us meanwhile; never less.
 */
static uint64_t
time_measure(void)
{
    uint32_t ticks = PIT_HZ / 100;
    uint8_t port_b = io_read8(PORT_B) & (uint8_t)~PORT_B_SPKR;
    uint64_t start;

    io_write8(PORT_B, port_b | PORT_B_GATE2);
    start = tsc_read();
    io_write8(PIT_CMD, PIT_CH2_ONCE);
    io_write8(PIT_CH2, (uint8_t)ticks);
    io_write8(PIT_CH2, (uint8_t)(ticks >> 8));
    while (!(io_read8(PORT_B) & PORT_B_OUT2))
        cpu_relax();
    return tsc_read() - start;
}

static void
time_calibrate(void)
{
    uint64_t least;

    if (boot_is_pvh) {
        tsc_per_ms = xen_tsc_khz();
        return;
    }
    least = time_measure();
    for (unsigned i = 0; i < 4; i++) {
        uint64_t again = time_measure();

        if (again < least)
            least = again;
    }
    tsc_per_ms = least / 10;
}

uint64_t
time_us(void)
{
    return tsc_read() * 1000 / tsc_per_ms;
}

void
time_sleep_us(uint64_t us)
{
    uint64_t start = time_us();

    while (time_us() - start < us)
        cpu_relax();
}

bool
time_wait(const volatile uint32_t *p, uint32_t val, uint64_t us)
{
    uint64_t start = time_us();

    while (*p != val) {
        if (time_us() - start >= us)
            return *p == val;
        cpu_relax();
    }
    return true;
}

/* --- interrupts ----------------------------------------------------------- */

static void
idt_fill(void)
{
    for (size_t v = 0; v < VECTORS; v++) {
        uint64_t entry = gpa_of(&isr_table[v * ISR_ENTRY_SIZE]);

        idt[v].off_low = (uint16_t)entry;
        idt[v].off_mid = (uint16_t)(entry >> 16);
        idt[v].off_high = (uint32_t)(entry >> 32);
        idt[v].selector = CODE64;
        idt[v].attributes = 0x8e00; /* present interrupt gate */
    }
}

static void
idt_load(void)
{
    struct idt_pointer pointer = {
        .limit = sizeof(idt) - 1,
        .base = gpa_of(idt),
    };

    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void
irq_dispatch(struct irq_frame *frame)
{
    uint8_t vector = (uint8_t)frame->vector;

    if (vector < EXCEPTIONS && vector != VECTOR_NMI) {
        console_print("FAIL exception: vector %u error %lx rip %lx\n", vector,
                      frame->error, frame->rip);
        test_done();
        cpu_halt();
    }
    counts[cpu_index()][vector]++;
    if (vector != VECTOR_NMI && vector != VECTOR_SPUR && !held[vector])
        irq_eoi();
}

/*
 * Every test takes fresh vectors, so that a late interrupt of one cannot be
 * taken for another's; when they have all been used they start again.
 */
uint8_t
irq_vector(void)
{
    uint8_t vector = next_vector;

    if (++next_vector > VECTOR_LAST)
        next_vector = VECTOR_FIRST;
    held[vector] = false;
    for (unsigned i = 0; i < CPUS; i++)
        counts[i][vector] = 0;
    return vector;
}

uint32_t
irq_count_on(uint8_t vector, unsigned cpu)
{
    return counts[cpu][vector];
}

uint32_t
irq_count(uint8_t vector)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < CPUS; i++)
        sum += counts[i][vector];
    return sum;
}

bool
irq_wait(uint8_t vector, uint32_t count, uint64_t us)
{
    uint64_t start = time_us();

    while (irq_count(vector) < count) {
        if (time_us() - start >= us)
            return irq_count(vector) >= count;
        cpu_relax();
    }
    return true;
}

void
irq_hold_eoi(uint8_t vector)
{
    held[vector] = true;
}

void
irq_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

/* --- processors ----------------------------------------------------------- */

static void
cpu_setup(uint32_t index)
{
    struct cpu *cpu = &cpus[index];

    cpu->index = index;
    msr_write(MSR_GS_BASE, gpa_of(cpu));
    idt_load();
}

static void __attribute__((noreturn)) second_main(void)
{
    apic_enable(&cpus[1]);
    cpus[1].ready = 1;
    for (;;) {
        /* The wake-up interrupt cannot slip in between. */
        interrupts_off();
        if (!job) {
            __asm__ volatile("sti; hlt" : : : "memory");
            continue;
        }
        interrupts_on();
        job();
        job = NULL;
        job_running = 0;
    }
}

bool
cpu_start(enum apic_mode mode)
{
    size_t size = (size_t)(ap_trampoline_end - ap_trampoline);
    volatile char *low = NULL;

    apic_mode = mode;
    if (!boot_is_pvh) {
        io_write8(PIC1_DATA, 0xff);
        io_write8(PIC2_DATA, 0xff);
    }
    time_calibrate();
    apic_enable(&cpus[0]);

    __asm__("" : "=r"(low) : "0"((uint64_t)TRAMPOLINE));
    for (size_t i = 0; i < size; i++)
        low[i] = ap_trampoline[i];

    apic_send(0, ICR_OTHERS_INIT);
    time_sleep_us(10000);
    apic_send(0, ICR_OTHERS_STARTUP | TRAMPOLINE >> 12);
    if (!time_wait(&cpus[1].ready, 1, 200000))
        apic_send(0, ICR_OTHERS_STARTUP | TRAMPOLINE >> 12);
    interrupts_on();
    return time_wait(&cpus[1].ready, 1, 2000000);
}

void
cpu_run(void (*fn)(void))
{
    job_running = 1;
    job = fn;
    apic_send(cpus[1].apic_id, ICR_ASSERT | VECTOR_WAKE);
}

void
cpu_join(void)
{
    while (job_running)
        cpu_relax();
}

void
cpu_main(uint32_t index)
{
    if (index == 0)
        idt_fill();
    cpu_setup(index);
    if (index == 0)
        kernel_main();
    second_main();
}
