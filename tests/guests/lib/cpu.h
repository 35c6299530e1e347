/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processors, time and interrupts of the guest kernel.
 *
 * Two processors: 0 runs the tests, 1 sleeps and takes interrupts, or runs one
 * function at a time.  Every vector has a handler that counts and says EOI.
 */
#ifndef TESTS_GUESTS_LIB_CPU_H
#define TESTS_GUESTS_LIB_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS 2u

/* --- instructions -------------------------------------------------------- */

/*
 * Registers of devices are reached by integer address and by one instruction
 * of known width each: what the emulator sees must not be the compiler's
 * choice.
 */
static inline uint32_t
mmio_read32(uint64_t addr)
{
    uint32_t val;

    __asm__ volatile("movl (%1), %0" : "=r"(val) : "r"(addr) : "memory");
    return val;
}

static inline void
mmio_write32(uint64_t addr, uint32_t val)
{
    __asm__ volatile("movl %1, (%0)" : : "r"(addr), "r"(val) : "memory");
}

static inline uint64_t
mmio_read64(uint64_t addr)
{
    uint64_t val;

    __asm__ volatile("movq (%1), %0" : "=r"(val) : "r"(addr) : "memory");
    return val;
}

static inline void
mmio_write64(uint64_t addr, uint64_t val)
{
    __asm__ volatile("movq %1, (%0)" : : "r"(addr), "r"(val) : "memory");
}

static inline void
io_write8(uint16_t port, uint8_t val)
{
    __asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline uint8_t
io_read8(uint16_t port)
{
    uint8_t val;

    __asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
    return val;
}

static inline void
io_write32(uint16_t port, uint32_t val)
{
    __asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline uint32_t
io_read32(uint16_t port)
{
    uint32_t val;

    __asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port) : "memory");
    return val;
}

static inline uint64_t
msr_read(uint32_t msr)
{
    uint32_t lo;
    uint32_t hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
    return (uint64_t)hi << 32 | lo;
}

static inline void
msr_write(uint32_t msr, uint64_t val)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32))
                     : "memory");
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid
cpu_id(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid id = { .eax = leaf, .ecx = subleaf };

    __asm__ volatile("cpuid"
                     : "+a"(id.eax), "=b"(id.ebx), "+c"(id.ecx), "=d"(id.edx));
    return id;
}

static inline void
cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Everything is identity mapped: an object's address is its gpa. */
static inline uint64_t
gpa_of(const volatile void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* --- processors and time -------------------------------------------------- */

/* How the local APICs are driven. */
enum apic_mode {
    APIC_XAPIC,  /* memory mapped, 8-bit ids                                */
    APIC_X2APIC, /* MSRs, 32-bit ids                                        */
};

bool cpu_has_x2apic(void);

/* Take over processor 0, start processor 1.  False: it does not answer. */
bool cpu_start(enum apic_mode mode);

/* Destination of @cpu, physical and logical, in the current APIC mode. */
uint32_t cpu_apic_id(unsigned cpu);
uint32_t cpu_logical_id(unsigned cpu);

/* Run @fn on processor 1; cpu_join() waits until it has returned. */
void cpu_run(void (*fn)(void));
void cpu_join(void);

/* Interrupts off and stop, for good. */
void cpu_halt(void) __attribute__((noreturn));

uint64_t time_us(void);
void time_sleep_us(uint64_t us);

/* Wait until *@p is @val.  False after @us. */
bool time_wait(const volatile uint32_t *p, uint32_t val, uint64_t us);

/* --- interrupts ----------------------------------------------------------- */

/* A vector that no other test uses; its counters are zero. */
uint8_t irq_vector(void);

/* Interrupts taken on @vector, by one processor and by all. */
uint32_t irq_count_on(uint8_t vector, unsigned cpu);
uint32_t irq_count(uint8_t vector);

/* Wait for the @count-th interrupt of @vector.  False after @us. */
bool irq_wait(uint8_t vector, uint32_t count, uint64_t us);

/*
 * The handler of @vector leaves the EOI to irq_eoi(), which must run on the
 * processor that took the interrupt.
 */
void irq_hold_eoi(uint8_t vector);
void irq_eoi(void);

/* For boot.S. */
struct irq_frame;
void irq_dispatch(struct irq_frame *frame);
void cpu_main(uint32_t index);

/* The tests; processor 0 alone comes here. */
void kernel_main(void) __attribute__((noreturn));

#endif
