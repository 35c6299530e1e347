/* SPDX-License-Identifier: MIT */
#include "client/examples/edu/pci.h"

#include <linux/pci_regs.h>
#include <stddef.h>

#define MSI_CAP     0x40u
#define EXPRESS_CAP 0x60u
#define EXTENDED    0x100u
#define LEGACY_SIZE 256u

/* As QEMU's devices have it. */
#define SUBSYSTEM_VENDOR 0x1af4u
#define SUBSYSTEM_ID     0x1100u

#define NOTHING UINT64_MAX

/* A field of @size bytes: what it reads as, and which bits may be written. */
struct field {
    uint32_t off;
    uint8_t size;
    uint32_t val;
    uint32_t writable;
};

static void
field_set(uint8_t *bytes, const struct field *field, uint32_t val)
{
    for (unsigned i = 0; i < field->size; i++) {
        bytes[field->off + i] = (uint8_t)(val >> (8 * i));
    }
}

static void
fields_add(struct pci_function *pci, uint32_t base, const struct field *field,
           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct field at = field[i];

        at.off += base;
        field_set(pci->config, &at, at.val);
        field_set(pci->writable, &at, at.writable);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field msi_fields[] = {
    { PCI_CAP_LIST_ID, 1, PCI_CAP_ID_MSI, 0 },
    { PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT, PCI_MSI_FLAGS_ENABLE },
    { PCI_MSI_ADDRESS_LO, 4, 0, 0xfffffffc },
    { PCI_MSI_ADDRESS_HI, 4, 0, UINT32_MAX },
    { PCI_MSI_DATA_64, 2, 0, 0xffff },
};

/* What makes a guest look beyond 256 bytes, and lets it enable PASIDs. */
static const struct field express_fields[] = {
    { PCI_CAP_LIST_ID, 1, PCI_CAP_ID_EXP, 0 },
    { PCI_EXP_FLAGS, 2, 2 | PCI_EXP_TYPE_RC_END << 4, 0 },
    { PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER, 0 },
    { PCI_EXP_DEVCTL, 2, 0,
      PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
          PCI_EXP_DEVCTL_URRE | PCI_EXP_DEVCTL_READRQ },
    { PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_EE_PREFIX, 0 },
};

/* 20 bits of PASID. */
static const struct field pasid_fields[] = {
    { PCI_PASID_CAP, 2, PCI_PASID_CAP_EXEC | PCI_PASID_CAP_PRIV | 20 << 8, 0 },
    { PCI_PASID_CTRL, 2, 0,
      PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC | PCI_PASID_CTRL_PRIV },
};

/* A queue depth of 0 stands for 32. */
static const struct field ats_fields[] = {
    { PCI_ATS_CAP, 2, PCI_ATS_CAP_PAGE_ALIGNED, 0 },
    { PCI_ATS_CTRL, 2, 0, PCI_ATS_CTRL_ENABLE | 0x1f },
};

/* It has one page request on the way at a time. */
static const struct field pri_fields[] = {
    { PCI_PRI_CTRL, 2, 0, PCI_PRI_CTRL_ENABLE },
    { PCI_PRI_STATUS, 2, PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID, 0 },
    { PCI_PRI_MAX_REQ, 4, 1, 0 },
    { PCI_PRI_ALLOC_REQ, 4, 0, UINT32_MAX },
};

static const struct extended {
    unsigned with;
    uint16_t id;
    const struct field *field;
    size_t count;
} extended[] = {
    { PCI_WITH_PASID, PCI_EXT_CAP_ID_PASID, pasid_fields, COUNT(pasid_fields) },
    { PCI_WITH_ATS, PCI_EXT_CAP_ID_ATS, ats_fields, COUNT(ats_fields) },
    { PCI_WITH_PRI, PCI_EXT_CAP_ID_PRI, pri_fields, COUNT(pri_fields) },
};

static void
extended_init(struct pci_function *pci, unsigned with)
{
    uint16_t *const place[] = { &pci->pasid, &pci->ats, &pci->pri };
    uint32_t off = EXTENDED;
    struct field header = { 0, 4, 0, 0 };

    for (size_t i = 0; i < COUNT(extended); i++) {
        if (!(with & extended[i].with)) {
            continue;
        }
        if (header.val) { /* the one before leads here */
            field_set(pci->config, &header, header.val | off << 20);
        }
        header.off = off;
        header.val = extended[i].id | 1u << 16;
        field_set(pci->config, &header, header.val);
        fields_add(pci, off, extended[i].field, extended[i].count);
        *place[i] = (uint16_t)off;
        off += 0x10;
    }
}

void
pci_init(struct pci_function *pci, const struct pci_identity *identity,
         unsigned with)
{
    const struct field header[] = {
        { PCI_VENDOR_ID, 2, identity->vendor, 0 },
        { PCI_DEVICE_ID, 2, identity->device, 0 },
        { PCI_COMMAND, 2, 0,
          PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
              PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE },
        { PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0 },
        { PCI_REVISION_ID, 1, identity->revision, 0 },
        { PCI_CLASS_DEVICE, 2, identity->class, 0 },
        { PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
        { PCI_BASE_ADDRESS_0, 4, 0, ~(identity->bar_size - 1) },
        { PCI_SUBSYSTEM_VENDOR_ID, 2, SUBSYSTEM_VENDOR, 0 },
        { PCI_SUBSYSTEM_ID, 2, SUBSYSTEM_ID, 0 },
        { PCI_CAPABILITY_LIST, 1, MSI_CAP, 0 },
        { PCI_INTERRUPT_LINE, 1, 0, 0xff },
        { PCI_INTERRUPT_PIN, 1, with & PCI_WITH_INTX ? 1 : 0, 0 },
    };

    *pci = (struct pci_function){
        .size = with & PCI_EXTENDED ? PCI_CONFIG_SIZE : LEGACY_SIZE,
        .bar_size = identity->bar_size,
    };
    fields_add(pci, 0, header, COUNT(header));
    fields_add(pci, MSI_CAP, msi_fields, COUNT(msi_fields));
    if (with & PCI_EXTENDED) {
        pci->config[MSI_CAP + PCI_CAP_LIST_NEXT] = EXPRESS_CAP;
        fields_add(pci, EXPRESS_CAP, express_fields, COUNT(express_fields));
        extended_init(pci, with);
    }
}

/* --- accesses ------------------------------------------------------------- */

uint64_t
pci_read(const struct pci_function *pci, uint32_t off, unsigned size)
{
    uint64_t val = 0;

    if (size < 1 || size > 8 || off >= pci->size || size > pci->size - off) {
        return NOTHING;
    }
    for (unsigned i = 0; i < size; i++) {
        val |= (uint64_t)pci->config[off + i] << (8 * i);
    }
    return val;
}

static uint16_t
word(const struct pci_function *pci, uint32_t off)
{
    return (uint16_t)pci_read(pci, off, 2);
}

/* Page requests are stopped while they are off. */
static void
pri_update(struct pci_function *pci)
{
    bool on = word(pci, pci->pri + PCI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE;
    const struct field status = { pci->pri + PCI_PRI_STATUS, 2, 0, 0 };

    field_set(pci->config, &status,
              PCI_PRI_STATUS_PASID | (on ? 0 : PCI_PRI_STATUS_STOPPED));
}

void
pci_write(struct pci_function *pci, uint32_t off, unsigned size, uint64_t val)
{
    if (size < 1 || size > 8 || off >= pci->size || size > pci->size - off) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t mask = pci->writable[off + i];
        uint8_t byte = (uint8_t)(val >> (8 * i));

        pci->config[off + i] =
            (uint8_t)((pci->config[off + i] & ~mask) | (byte & mask));
    }
    if (pci->pri) {
        pri_update(pci);
    }
}

/* --- what it means -------------------------------------------------------- */

uint64_t
pci_bar(const struct pci_function *pci)
{
    uint32_t bar = (uint32_t)pci_read(pci, PCI_BASE_ADDRESS_0, 4);

    /* All ones is the question for the size, and no place. */
    if (!(word(pci, PCI_COMMAND) & PCI_COMMAND_MEMORY) ||
        bar == ~(pci->bar_size - 1)) {
        return 0;
    }
    return bar;
}

bool
pci_is_master(const struct pci_function *pci)
{
    return word(pci, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool
pci_msi(const struct pci_function *pci, uint64_t *addr, uint32_t *data)
{
    *addr = pci_read(pci, MSI_CAP + PCI_MSI_ADDRESS_LO, 8);
    *data = word(pci, MSI_CAP + PCI_MSI_DATA_64);
    return word(pci, MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE;
}

bool
pci_intx(struct pci_function *pci, bool wanted)
{
    bool on = wanted && pci->config[PCI_INTERRUPT_PIN] &&
              !(word(pci, MSI_CAP + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE);

    /* The status bit tells what the device wants, even with INTx disabled. */
    pci->config[PCI_STATUS] =
        (uint8_t)(PCI_STATUS_CAP_LIST | (on ? PCI_STATUS_INTERRUPT : 0));
    return on && !(word(pci, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE);
}

unsigned
pci_enabled(const struct pci_function *pci)
{
    unsigned on = 0;

    if (pci->pasid && pci_pasid_control(pci) & PCI_PASID_CTRL_ENABLE) {
        on |= PCI_WITH_PASID;
    }
    if (pci->ats && word(pci, pci->ats + PCI_ATS_CTRL) & PCI_ATS_CTRL_ENABLE) {
        on |= PCI_WITH_ATS;
    }
    if (pci->pri && word(pci, pci->pri + PCI_PRI_CTRL) & PCI_PRI_CTRL_ENABLE) {
        on |= PCI_WITH_PRI;
    }
    return on;
}

uint16_t
pci_pasid_control(const struct pci_function *pci)
{
    return pci->pasid ? word(pci, pci->pasid + PCI_PASID_CTRL) : 0;
}
