/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any key or value that could be accepted. */
#define ITEM_MAX 160u
_Static_assert(CONFIG_DEVICES_MAX * sizeof("ff:1f.7") < ITEM_MAX,
               "a list of devices does not fit");

#define PAGE 4096u

struct key {
    const char *name;
    /*
     * Returns NULL, or why @value is refused; then @config is unchanged.  Is
     * NULL for a switch, which stands at offset @member of @config.
     */
    const char *(*set)(struct viommu_config *config, const char *value);
    const char *accepted;
    size_t member;
};

/*
 * Guest physical addresses below 4 GiB that something else decodes, or that
 * hvmloader gives away without knowing of the unit.
 */
static const struct {
    uint64_t first;
    uint64_t last;
    const char *reason;
} taken[] = {
    { 0x00000000, 0xefffffff, "may be RAM (the hole starts at 0xf0000000)" },
    { 0xf0000000, 0xfbffffff, "may be a PCI device's memory" },
    { 0xfc000000, 0xfdffffff, "is memory of hvmloader's" },
    { 0xfe700000, 0xfe7fffff, "is reserved for the guest's own use" },
    { 0xfec00000, 0xfec00fff, "is the IOAPIC" },
    { 0xfed00000, 0xfed003ff, "is the HPET" },
    { 0xfed40000, 0xfed44fff, "is the TPM" },
    { 0xfee00000, 0xfeefffff, "is the local APIC and where MSIs go" },
    { 0xfeff8000, 0xfeffffff, "is memory shared with Xen" },
    { 0xff000000, 0xffffffff, "is the firmware" },
};

static const char *
parse_uint(const char *text, uint64_t max, uint64_t *out)
{
    int base = 10;
    char *end;
    unsigned long long val;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    /* strtoull() would take blanks, a sign and a second 0x. */
    if (!isxdigit((unsigned char)text[0]) || text[1] == 'x' || text[1] == 'X') {
        return "is not a number";
    }
    errno = 0;
    val = strtoull(text, &end, base);
    if (*end || end == text) {
        return "is not a number";
    }
    if (errno == ERANGE || val > max) {
        return "is too large";
    }
    *out = val;
    return NULL;
}

static const char *
parse_range(const char *text, uint8_t min, uint8_t max, uint8_t *out)
{
    uint64_t val = 0;
    const char *reason = parse_uint(text, max, &val);

    if (reason) {
        return reason;
    }
    if (val < min) {
        return "is too small";
    }
    *out = (uint8_t)val;
    return NULL;
}

static const char *
parse_bool(const char *text, bool *out)
{
    if (!strcmp(text, "1") || !strcmp(text, "on")) {
        *out = true;
        return NULL;
    }
    if (!strcmp(text, "0") || !strcmp(text, "off")) {
        *out = false;
        return NULL;
    }
    return "is not a switch";
}

static const char *
set_type(struct viommu_config *config, const char *value)
{
    (void)config;
    return strcmp(value, "intel_vtd") ? "is not offered" : NULL;
}

static const char *
set_base(struct viommu_config *config, const char *value)
{
    uint64_t base = 0;
    const char *reason = parse_uint(value, UINT32_MAX, &base);

    if (reason) {
        return reason;
    }
    if (base % PAGE) {
        return "is not aligned to 4 KiB";
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (base <= taken[i].last && base + PAGE > taken[i].first) {
            return taken[i].reason;
        }
    }
    config->base = base;
    return NULL;
}

static const char *
set_ioapic_id(struct viommu_config *config, const char *value)
{
    return parse_range(value, 0, UINT8_MAX, &config->ioapic_id);
}

/* Hexadecimal digits only, as lspci prints them. */
static bool
parse_hex(const char *text, size_t digits, unsigned max, unsigned *out)
{
    unsigned val = 0;

    for (size_t i = 0; i < digits; i++) {
        unsigned char c = (unsigned char)text[i];
        int digit;

        if (!isxdigit(c)) {
            return false;
        }
        digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
        val = val * 16 + (unsigned)digit;
    }
    *out = val;
    return val <= max;
}

/* The "bb:dd.f" at the beginning of @text. */
static bool
parse_sid(const char *text, uint16_t *out)
{
    unsigned bus = 0;
    unsigned dev = 0;
    unsigned fn = 0;

    if (strlen(text) < strlen("ff:1f.7") || text[2] != ':' || text[5] != '.' ||
        !parse_hex(text, 2, 0xff, &bus) ||
        !parse_hex(text + 3, 2, 0x1f, &dev) ||
        !parse_hex(text + 6, 1, 7, &fn)) {
        return false;
    }
    *out = (uint16_t)(bus << 8 | dev << 3 | fn);
    return true;
}

static const char *
set_ioapic_sid(struct viommu_config *config, const char *value)
{
    uint16_t sid = 0;

    if (strlen(value) != strlen("ff:1f.7") || !parse_sid(value, &sid)) {
        return "is not a bus:device.function";
    }
    if (sid == 0) {
        return "is the host bridge, and no source id to Linux";
    }
    config->ioapic_sid = sid;
    return NULL;
}

static const char *const dma_names[] = {
    [CONFIG_DMA_NONE] = "none",
    [CONFIG_DMA_LEGACY] = "legacy",
    [CONFIG_DMA_SCALABLE] = "scalable",
    [CONFIG_DMA_FULL] = "full",
};

static const char *const stages_names[] = {
    [CONFIG_STAGES_BOTH] = "both",
    [CONFIG_STAGES_FIRST] = "first",
    [CONFIG_STAGES_SECOND] = "second",
};

/* Which of @count @names @value is. */
static const char *
parse_name(const char *value, const char *const *names, unsigned count,
           uint8_t *out)
{
    for (unsigned i = 0; i < count; i++) {
        if (!strcmp(value, names[i])) {
            *out = (uint8_t)i;
            return NULL;
        }
    }
    return "is not a mode";
}

static const char *
set_dma(struct viommu_config *config, const char *value)
{
    return parse_name(value, dma_names, CONFIG_DMA_FULL + 1, &config->dma);
}

static const char *
set_stages(struct viommu_config *config, const char *value)
{
    return parse_name(value, stages_names, CONFIG_STAGES_SECOND + 1,
                      &config->stages);
}

static const char *
set_pasid(struct viommu_config *config, const char *value)
{
    return parse_range(value, 0, 20, &config->pasid);
}

static bool
has_device(const struct viommu_config *config, uint16_t sid)
{
    for (uint8_t i = 0; i < config->device_count; i++) {
        if (config->device[i] == sid) {
            return true;
        }
    }
    return false;
}

static const char *
set_devices(struct viommu_config *config, const char *value)
{
    struct viommu_config parsed = *config;
    const size_t len = strlen("ff:1f.7");
    const char *end = value;

    do {
        const char *text = end;
        uint16_t sid = 0;

        end = strchrnul(text, ';');
        if ((size_t)(end - text) != len || !parse_sid(text, &sid)) {
            return "has what is not a bus:device.function";
        }
        if (has_device(&parsed, sid)) {
            return "names a device twice";
        }
        if (parsed.device_count == CONFIG_DEVICES_MAX) {
            return "names too many devices";
        }
        parsed.device[parsed.device_count++] = sid;
    } while (*end++);
    *config = parsed;
    return NULL;
}

static const char *
set_faults(struct viommu_config *config, const char *value)
{
    return parse_range(value, 1, 8, &config->faults);
}

static const char *
set_width(struct viommu_config *config, const char *value)
{
    return parse_range(value, 32, 52, &config->width);
}

#define SWITCH(key)                                                        \
    {                                                                      \
#key, NULL, "0, 1, on or off", offsetof(struct viommu_config, key) \
    }

/* The first is the one that must be there. */
static const struct key keys[] = {
    { "type", set_type, "intel_vtd", 0 },
    SWITCH(intremap),
    SWITCH(eim),
    { "base", set_base,
      "a free page from 0xfe000000 to 0xfeff7000, such as 0xfed90000", 0 },
    { "ioapic_id", set_ioapic_id, "0 to 255; hvmloader's is 1", 0 },
    { "ioapic_sid", set_ioapic_sid,
      "00:00.1 to ff:1f.7, one that no PCI device has, such as ff:00.0", 0 },
    { "faults", set_faults, "1 to 8", 0 },
    /* Also with eim: it is a wish, which the guest may override. */
    SWITCH(x2apic_opt_out),
    { "width", set_width, "32 to 52", 0 },
    { "dma", set_dma, "none, legacy, scalable or full", 0 },
    { "stages", set_stages, "both, first or second", 0 },
    SWITCH(caching),
    SWITCH(posted),
    SWITCH(ats),
    { "pasid", set_pasid, "0 to 20", 0 },
    { "devices", set_devices,
      "1 to 16 devices such as 00:04.0, separated by semicolons", 0 },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool
is_seen(unsigned seen, const char *name)
{
    size_t i = 0;

    while (strcmp(keys[i].name, name) != 0) {
        i++;
    }
    return seen & 1u << i;
}

/* Keys whose default depends on others. */
static void
set_defaults(struct viommu_config *config, unsigned seen)
{
    if (!is_seen(seen, "eim")) {
        config->eim = config->intremap;
    }
    if (!is_seen(seen, "posted")) {
        config->posted = config->dma == CONFIG_DMA_FULL && config->intremap;
    }
    if (!is_seen(seen, "ats")) {
        config->ats = config->dma == CONFIG_DMA_FULL;
    }
    if (!is_seen(seen, "pasid")) {
        config->pasid = config->dma >= CONFIG_DMA_SCALABLE ? 20 : 0;
    }
}

/* NULL, or why the keys make no sense together, and what to do. */
static const char *
conflict_of(const struct viommu_config *config)
{
    if (!config->intremap && config->dma == CONFIG_DMA_NONE) {
        return "intremap=0 leaves a unit with dma=none nothing to do; set "
               "intremap=1, or dma to legacy, scalable or full";
    }
    if (!config->intremap && config->eim) {
        return "eim=1 is a mode of interrupt remapping; set intremap=1, or "
               "leave eim out";
    }
    if (!config->intremap && config->posted) {
        return "posted=1 is a mode of interrupt remapping; set intremap=1, or "
               "leave posted out";
    }
    if (!config->intremap && config->x2apic_opt_out) {
        return "x2apic_opt_out=1 has no meaning without interrupt remapping; "
               "set intremap=1, or leave x2apic_opt_out out";
    }
    if (config->dma == CONFIG_DMA_NONE && config->caching) {
        return "caching=1 needs DMA remapping; set dma to legacy, scalable or "
               "full, or leave caching out";
    }
    if (config->dma == CONFIG_DMA_NONE && config->ats) {
        return "ats=1 needs DMA remapping; set dma to legacy, scalable or "
               "full, or leave ats out";
    }
    if (config->dma < CONFIG_DMA_SCALABLE && config->pasid) {
        return "pasid needs scalable mode; set dma to scalable or full, or "
               "leave pasid out";
    }
    if (config->dma < CONFIG_DMA_SCALABLE &&
        config->stages != CONFIG_STAGES_BOTH) {
        return "stages needs scalable mode; set dma to scalable or full, or "
               "leave stages out";
    }
    if (config->dma != CONFIG_DMA_NONE && !config->device_count) {
        return "devices is missing; with DMA remapping, name the devices whose "
               "emulators ask the unit: any other would do DMA to addresses "
               "that nobody translates";
    }
    if (has_device(config, config->ioapic_sid)) {
        return "devices has the source id of the IOAPIC; set ioapic_sid to an "
               "address that no device has";
    }
    return NULL;
}

/* One line, whatever the file that it quotes holds. */
static int __attribute__((format(printf, 3, 4)))
refuse(char *err, size_t size, const char *fmt, ...)
{
    va_list args;

    if (size) {
        va_start(args, fmt);
        vsnprintf(err, size, fmt, args);
        va_end(args);
        for (char *p = err; *p; p++) {
            if (!isprint((unsigned char)*p)) {
                *p = '?';
            }
        }
    }
    return -EINVAL;
}

static int
refuse_key(char *err, size_t size, const char *name)
{
    char list[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < KEYS; i++) {
        int n = snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
                         keys[i].name);

        len += (size_t)n < sizeof(list) - len ? (size_t)n : 0;
    }
    return refuse(err, size, "viommu: no key is named '%s'; accepted: %s", name,
                  list);
}

/* Copy @len bytes without the blanks around them. */
static int
copy_trimmed(char out[ITEM_MAX], const char *text, size_t len)
{
    while (len && isblank((unsigned char)text[0])) {
        text++;
        len--;
    }
    while (len && isblank((unsigned char)text[len - 1])) {
        len--;
    }
    if (len >= ITEM_MAX) {
        return -EINVAL;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return 0;
}

/* Apply one "key=value" of @len bytes; bit i of @seen is keys[i]. */
static int
parse_item(const char *item, size_t len, struct viommu_config *config,
           unsigned *seen, char *err, size_t err_size)
{
    const char *eq = memchr(item, '=', len);
    size_t name_len = eq ? (size_t)(eq - item) : len;
    char name[ITEM_MAX];
    char value[ITEM_MAX] = "";
    const char *reason;
    size_t i = 0;

    if (copy_trimmed(name, item, name_len) ||
        (eq && copy_trimmed(value, eq + 1, len - name_len - 1))) {
        return refuse(err, err_size,
                      "viommu: '%.16s...' is too long; accepted: key=value of "
                      "at most %u characters each",
                      item, ITEM_MAX - 1);
    }
    while (i < KEYS && strcmp(name, keys[i].name) != 0) {
        i++;
    }
    if (i == KEYS) {
        return refuse_key(err, err_size, name);
    }
    if (!eq) {
        return refuse(err, err_size,
                      "viommu: %s has no value; accepted: %s=VALUE with %s",
                      name, name, keys[i].accepted);
    }
    if (*seen & 1u << i) {
        return refuse(err, err_size,
                      "viommu: %s is given twice; accepted: each key once",
                      name);
    }
    *seen |= 1u << i;
    reason = keys[i].set
                 ? keys[i].set(config, value)
                 : parse_bool(value, (bool *)((char *)config + keys[i].member));
    if (reason) {
        return refuse(err, err_size, "viommu: %s=%s %s; accepted: %s", name,
                      value, reason, keys[i].accepted);
    }
    return 0;
}

int
config_parse(const char *spec, struct viommu_config *config, char *err,
             size_t err_size)
{
    struct viommu_config parsed = {
        .intremap = true,
        .base = 0xfed90000,
        .ioapic_id = 1,
        .ioapic_sid = 0xff00,
        .faults = 8,
        .width = 46,
    };
    const char *item = spec;
    const char *conflict;
    unsigned seen = 0;
    size_t len;
    int rc;

    do {
        len = strcspn(item, ",");
        rc = parse_item(item, len, &parsed, &seen, err, err_size);
        if (rc) {
            return rc;
        }
        item += len + 1;
    } while (item[-1]);

    if (!(seen & 1u)) {
        return refuse(err, err_size,
                      "viommu: type is missing; accepted: type=%s",
                      keys[0].accepted);
    }
    set_defaults(&parsed, seen);
    conflict = conflict_of(&parsed);
    if (conflict) {
        return refuse(err, err_size, "viommu: %s", conflict);
    }
    *config = parsed;
    return 0;
}

#define SID_FORMAT "%02x:%02x.%x"
#define SID_ARGS(sid) \
    (unsigned)(sid) >> 8, (unsigned)(sid) >> 3 & 0x1fu, (unsigned)(sid)&7u

/* Append to what @len says is in @buf already, as snprintf() would. */
static int __attribute__((format(printf, 4, 5)))
append(char *buf, size_t size, int len, const char *fmt, ...)
{
    bool fits = (size_t)len < size;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(fits ? buf + len : NULL, fits ? size - (size_t)len : 0, fmt,
                  args);
    va_end(args);
    return len + n;
}

int
config_format(const struct viommu_config *config, char *buf, size_t size)
{
    int len = append(buf, size, 0,
                     "type=intel_vtd,intremap=%d,eim=%d,base=0x%" PRIx64
                     ",ioapic_id=%u,ioapic_sid=" SID_FORMAT
                     ",faults=%u,x2apic_opt_out=%d,width=%u",
                     config->intremap, config->eim, config->base,
                     (unsigned)config->ioapic_id, SID_ARGS(config->ioapic_sid),
                     (unsigned)config->faults, config->x2apic_opt_out,
                     (unsigned)config->width);

    len = append(buf, size, len,
                 ",dma=%s,stages=%s,caching=%d,posted=%d,ats=%d,pasid=%u",
                 dma_names[config->dma], stages_names[config->stages],
                 config->caching, config->posted, config->ats,
                 (unsigned)config->pasid);
    for (uint8_t i = 0; i < config->device_count; i++) {
        len = append(buf, size, len, "%s" SID_FORMAT,
                     i ? ";" : ",devices=", SID_ARGS(config->device[i]));
    }
    return len;
}
