/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/config-priv.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any key or value that could be accepted. */
#define ITEM_MAX 320u
_Static_assert(CONFIG_DEVICES_MAX * sizeof("ff:1f.7@4294967294") < ITEM_MAX,
               "a list of devices does not fit");

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

const char *
config_base_taken(uint64_t base)
{
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (base <= taken[i].last && base + CONFIG_PAGE > taken[i].first) {
            return taken[i].reason;
        }
    }
    return NULL;
}

static const char *
set_base(struct viommu_config *config, const char *value)
{
    uint64_t base = 0;
    const char *reason = parse_uint(value, UINT32_MAX, &base);

    if (reason) {
        return reason;
    }
    if (base % CONFIG_PAGE) {
        return "is not aligned to 4 KiB";
    }
    reason = config_base_taken(base);
    if (!reason) {
        config->base = base;
    }
    return reason;
}

static const char *
set_ioapic_id(struct viommu_config *config, const char *value)
{
    config->ioapic = true;
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
    config->ioapic = true;
    config->ioapic_sid = sid;
    return NULL;
}

/* Which of @names, from @first to @last, @value is. */
static const char *
parse_name(const char *value, const char *const *names, unsigned first,
           unsigned last, uint8_t *out)
{
    for (unsigned i = first; i <= last; i++) {
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
    return parse_name(value, config_dma_names, CONFIG_DMA_NONE, CONFIG_DMA_FULL,
                      &config->dma);
}

static const char *
set_stages(struct viommu_config *config, const char *value)
{
    return parse_name(value, config_stages_names, CONFIG_STAGES_BOTH,
                      CONFIG_STAGES_SECOND, &config->stages);
}

static const char *
set_layout(struct viommu_config *config, const char *value)
{
    return parse_name(value, config_layout_names, CONFIG_LAYOUT_ONE,
                      CONFIG_LAYOUT_SPLIT, &config->layout);
}

static const char *
set_levels(struct viommu_config *config, const char *value)
{
    return parse_range(value, 3, 4, &config->levels);
}

static const char *
set_drain_ms(struct viommu_config *config, const char *value)
{
    uint64_t ms = 0;
    const char *reason = parse_uint(value, 60000, &ms);

    if (reason) {
        return reason;
    }
    if (ms < 10) {
        return "is too small";
    }
    config->drain_ms = (uint16_t)ms;
    return NULL;
}

static const char *
set_pasid(struct viommu_config *config, const char *value)
{
    return parse_range(value, 0, 20, &config->pasid);
}

/*
 * "bb:dd.f" or "bb:dd.f@UID", of @len bytes; the last user id is nobody's, but
 * stands for "none" in system calls.
 */
static bool
parse_device(const char *text, size_t len, uint16_t *sid, uint32_t *uid)
{
    const size_t sid_len = strlen("ff:1f.7");
    char digits[sizeof("4294967294")] = "0";
    uint64_t val = 0;

    if (len < sid_len || !parse_sid(text, sid)) {
        return false;
    }
    if (len > sid_len) {
        size_t n = len - sid_len - 1;

        if (text[sid_len] != '@' || n >= sizeof(digits)) {
            return false;
        }
        memcpy(digits, text + sid_len + 1, n);
        digits[n] = '\0';
    }
    if (parse_uint(digits, UINT32_MAX - 1, &val)) {
        return false;
    }
    *uid = (uint32_t)val;
    return true;
}

static const char *
set_devices(struct viommu_config *config, const char *value)
{
    struct viommu_config parsed = *config;
    const char *end = value;

    do {
        const char *text = end;
        uint16_t sid = 0;
        uint32_t uid = 0;

        end = strchrnul(text, ';');
        if (!parse_device(text, (size_t)(end - text), &sid, &uid)) {
            return "has what is not a bus:device.function";
        }
        if (config_has_device(&parsed, sid)) {
            return "names a device twice";
        }
        if (parsed.device_count == CONFIG_DEVICES_MAX) {
            return "names too many devices";
        }
        parsed.device_uid[parsed.device_count] = uid;
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
    { "levels", set_levels, "3, or 4, which is both", 0 },
    { "stages", set_stages, "both, first or second", 0 },
    SWITCH(caching),
    SWITCH(posted),
    SWITCH(ats),
    { "pasid", set_pasid, "0 to 20", 0 },
    SWITCH(prs),
    { "drain_ms", set_drain_ms, "10 to 60000", 0 },
    { "layout", set_layout, "one or split", 0 },
    { "devices", set_devices,
      "1 to 16 devices such as 00:04.0 or 00:04.0@1000, separated by "
      "semicolons",
      0 },
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
    if (!is_seen(seen, "prs")) {
        config->prs =
            config->dma == CONFIG_DMA_FULL && config->ats && config->pasid;
    }
}

/* One line, whatever the file that it quotes holds. */
int
config_refuse(char *err, size_t size, const char *fmt, ...)
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
    return config_refuse(
        err, size, "viommu: no key is named '%s'; accepted: %s", name, list);
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
        return config_refuse(
            err, err_size,
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
        return config_refuse(
            err, err_size,
            "viommu: %s has no value; accepted: %s=VALUE with %s", name, name,
            keys[i].accepted);
    }
    if (*seen & 1u << i) {
        return config_refuse(
            err, err_size, "viommu: %s is given twice; accepted: each key once",
            name);
    }
    *seen |= 1u << i;
    reason = keys[i].set
                 ? keys[i].set(config, value)
                 : parse_bool(value, (bool *)((char *)config + keys[i].member));
    if (reason) {
        return config_refuse(err, err_size, "viommu: %s=%s %s; accepted: %s",
                             name, value, reason, keys[i].accepted);
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
        .levels = 4,
        .drain_ms = 1000,
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
        return config_refuse(err, err_size,
                             "viommu: type is missing; accepted: type=%s",
                             keys[0].accepted);
    }
    set_defaults(&parsed, seen);
    conflict = config_conflict(&parsed);
    if (conflict) {
        return config_refuse(err, err_size, "viommu: %s", conflict);
    }
    *config = parsed;
    return 0;
}
