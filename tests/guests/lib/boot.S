/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a Linux kernel's real mode entry, or Xen's PVH entry, to cpu_main() in
 * long mode on an identity map of 4 GiB; the second processor takes the same
 * road from its start-up.  Also the interrupt entries.
 *
 * Linux's boot protocol, because it is the one that works for a kernel= of an
 * xl HVM guest: QEMU 7.2 hands multiboot images to a boot ROM that needs
 * fw_cfg's DMA, which it does not have under Xen.
 */
#define CODE32   0x08
#define DATA     0x10
#define CODE64   0x18

#define CR0_PE_MP_NE_PG 0x80000023
#define CR4_PAE_SSE     0x620       /* PAE, OSFXSR, OSXMMEXCPT */
#define MSR_EFER        0xc0000080
#define EFER_LME        0x100

/* [Xen, public/elfnote.h and public/arch-x86/hvm/start_info.h] */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define START_INFO_CMDLINE       24

#define STACK_SIZE      16384
#define CPUS            2

/*
 * The boot sector and seven of setup, at 0x10000 with DS there; the rest
 * of the file is at 1 MiB.  Only the fields that a loader looks at are set.
 * [Linux, Documentation/arch/x86/boot.rst]
 */
    .section .setup, "ax"
    .code16
    .org 0x1f1
    .byte 7                         /* setup_sects */
    .org 0x1fe
    .word 0xaa55                    /* boot_flag */
    jmp setup_entry                 /* where a loader enters, 0x200 */
    .org 0x202
    .ascii "HdrS"
    .word 0x0204                    /* version */
    .org 0x211
    .byte 1                         /* loadflags: LOADED_HIGH */
    .org 0x228
cmd_line_ptr:
    .long 0
    .org 0x240
setup_entry:
    cli
    cld
    mov cmd_line_ptr, %ebx
    lgdtl setup_gdt_pointer
    in $0x92, %al                   /* A20, where it matters */
    or $2, %al
    out %al, $0x92
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $CODE32, $start32
    .balign 4
setup_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start_pvh

    .text
    .code32
/* Flat segments, without paging; the start info is at %ebx. */
start_pvh:
    cld
    lgdtl pvh_gdt_pointer
    ljmpl $CODE32, $1f
1:  mov START_INFO_CMDLINE(%ebx), %ebx
    movl $1, boot_is_pvh

    .globl start32
start32:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov $bss_begin, %edi            /* no loader clears it */
    mov $image_end, %ecx
    sub %edi, %ecx
    xor %eax, %eax
    rep stosb
    mov %ebx, cmdline_gpa

    .globl ap_start32
ap_start32:
common32:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $CR4_PAE_SSE, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $EFER_LME, %eax
    wrmsr
    mov $CR0_PE_MP_NE_PG, %eax
    mov %eax, %cr0
    ljmp $CODE64, $start64

    .code64
start64:
    mov $1, %edi
    lock xaddl %edi, cpu_started    /* index of this processor */
    cmp $CPUS, %edi
    jae halt
    mov %edi, %eax
    inc %eax
    imul $STACK_SIZE, %eax, %eax
    lea stacks(%rax), %rsp
    call cpu_main
halt:
    cli
    hlt
    jmp halt

/*
 * Copied below 1 MiB; a start-up IPI begins here with IP 0 and CS the page.
 * The linker cannot express addresses of the copy, hence the differences.
 */
    .code16
    .globl ap_trampoline, ap_trampoline_end
ap_trampoline:
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl ap_gdt_pointer - ap_trampoline
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $CODE32, $ap_start32
    .balign 4
ap_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt
ap_trampoline_end:

    .code64
/* Vectors whose exception pushes an error code. */
#define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || \
                      (v) == 21 || (v) == 29 || (v) == 30)

    .balign 16
    .globl isr_table
isr_table:
    .set v, 0
    .rept 256
    .balign 16
    .if !HAS_ERROR(v)
    push $0
    .endif
    push $v
    jmp isr_common
    .set v, v + 1
    .endr

isr_common:
    cld
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    mov %rsp, %rdi
    call irq_dispatch
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .section .rodata
    .balign 16
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        /* CODE32 */
    .quad 0x00cf93000000ffff        /* DATA */
    .quad 0x00af9b000000ffff        /* CODE64 */
gdt_end:

    .data
    .balign 4096
/* 2 MiB pages; the last GiB, where devices are, is uncached. */
page_directories:
    .set i, 0
    .rept 2048
    .if i < 1536
    .quad (i << 21) | 0x083         /* PS, writable, present */
    .else
    .quad (i << 21) | 0x09b         /* and PCD, PWT */
    .endif
    .set i, i + 1
    .endr
pdpt:
    .quad page_directories + 0x0003
    .quad page_directories + 0x1003
    .quad page_directories + 0x2003
    .quad page_directories + 0x3003
    .balign 4096
pml4:
    .quad pdpt + 3
    .balign 4096
cpu_started:
    .long 0
    .globl cmdline_gpa, boot_is_pvh
cmdline_gpa:
    .quad 0
boot_is_pvh:
    .long 0
    .balign 4
pvh_gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

    .bss
    .balign 16
stacks:
    .skip CPUS * STACK_SIZE

    .section .note.GNU-stack, "", @progbits
