/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/xlcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil.h>

/* An xl.cfg is a page of text; this keeps out what is none. */
#define FILE_MAX (1u << 20)

/* The whole of @path and the extra lines; the caller frees *data. */
static int
read_text(const char *path, char *const extra[], size_t extra_count,
          char **data, size_t *len)
{
    char chunk[4096];
    FILE *in = fopen(path, "re");
    FILE *out;
    size_t n;
    int rc = 0;

    if (!in) {
        return -errno;
    }
    out = open_memstream(data, len);
    if (!out) {
        fclose(in);
        return -ENOMEM;
    }
    errno = 0;
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0 && !rc) {
        fwrite(chunk, 1, n, out);
        rc = ftell(out) > (long)FILE_MAX ? -EFBIG : 0;
    }
    if (ferror(in)) {
        rc = errno ? -errno : -EIO;
    }
    fclose(in);
    /* The last line may lack its newline. */
    fputc('\n', out);
    for (size_t i = 0; i < extra_count; i++) {
        fprintf(out, "%s\n", extra[i]);
    }
    if (fclose(out) && !rc) {
        rc = -ENOMEM;
    }
    return rc;
}

/* The strings of @list, @entries of them, as one; the caller frees it. */
static char *
join_units(const XLU_ConfigList *list, int entries)
{
    char *spec = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&spec, &len);
    bool ok = out != NULL;

    for (int i = 0; i < entries && ok; i++) {
        const char *item = xlu_cfg_get_listitem(list, i);

        ok = item != NULL;
        if (ok && i) {
            fputc(CONFIG_SEPARATOR, out);
        }
        if (ok) {
            fputs(item, out);
        }
    }
    if (out && fclose(out)) {
        ok = false;
    }
    if (!ok) {
        free(spec);
        spec = NULL;
    }
    return spec;
}

/* The units' specification; the caller frees *spec. */
static int
find_units(const XLU_Config *cfg, const char *path, char **spec,
           struct text_error *err)
{
    XLU_ConfigList *list = NULL;
    const char *single;
    int entries = 0;
    int rc = xlu_cfg_get_list(cfg, "viommu", &list, &entries, 1);

    if (rc == ESRCH || (!rc && !entries)) {
        return text_fail(err, -EINVAL,
                         "%s has no unit; add viommu=[\"type=intel_vtd\"]",
                         path);
    }
    if (!rc) {
        *spec = join_units(list, entries);
    } else {
        rc = xlu_cfg_get_string(cfg, "viommu", &single, 1);
        *spec = rc ? NULL : strdup(single);
    }
    if (!*spec) {
        return text_fail(err, -EINVAL,
                         "%s: viommu is neither a string nor a list of "
                         "strings; accepted: viommu=[\"type=intel_vtd\"]",
                         path);
    }
    return 0;
}

/* The value of @key, or @missing. */
static const char *
get_string(const XLU_Config *cfg, const char *key, const char *missing)
{
    const char *value;

    return xlu_cfg_get_string(cfg, key, &value, 1) ? missing : value;
}

static enum xlcfg_type
find_type(const XLU_Config *cfg)
{
    const char *type = get_string(cfg, "type", "");

    if (!strcmp(type, "hvm") ||
        !strcmp(get_string(cfg, "builder", ""), "hvm")) {
        return XLCFG_HVM;
    }
    return strcmp(type, "pvh") ? XLCFG_PV : XLCFG_PVH;
}

static int
interpret(const XLU_Config *cfg, const char *path, struct xlcfg *out,
          struct text_error *err)
{
    const char *name = get_string(cfg, "name", "");
    const char *on_reboot = get_string(cfg, "on_reboot", "restart");
    char *spec = NULL;
    struct text_error why = { "" };
    int rc = find_units(cfg, path, &spec, err);

    if (rc) {
        return rc;
    }
    rc = configs_parse(spec, &out->units, why.text, sizeof(why.text));
    free(spec);
    if (rc) {
        return text_fail(err, rc, "%.200s: %s", path, why.text);
    }
    if (strlen(name) >= sizeof(out->name)) {
        return text_fail(err, -EINVAL, "%s: name is too long; accepted: %zu",
                         path, sizeof(out->name) - 1);
    }
    snprintf(out->name, sizeof(out->name), "%s", name);
    out->type = find_type(cfg);
    out->acpi_firmware =
        xlu_cfg_get_string(cfg, "acpi_firmware", &name, 1) == 0;
    out->restarts = !strncmp(on_reboot, "restart", strlen("restart")) ||
                    !strcmp(on_reboot, "rename-restart");
    return 0;
}

/* libxlutil writes a line for every mistake; the first is the telling one. */
static int
report_syntax(const char *path, char *report, struct text_error *err)
{
    report[strcspn(report, "\n")] = '\0';
    return text_fail(err, -EINVAL, "cannot parse %.200s: %s", path,
                     *report ? report : "it is no xl configuration");
}

static int
parse(const char *path, const char *data, size_t len, struct xlcfg *out,
      struct text_error *err)
{
    char *report = NULL;
    size_t report_len = 0;
    FILE *stream = open_memstream(&report, &report_len);
    XLU_Config *cfg = stream ? xlu_cfg_init(stream, path) : NULL;
    int rc = -ENOMEM;

    if (!cfg) {
        text_fail(err, rc, "cannot parse %s: %s", path, strerror(-rc));
        goto out;
    }
    if (xlu_cfg_readdata(cfg, data, (int)len)) {
        fflush(stream);
        rc = report_syntax(path, report, err);
    } else {
        rc = interpret(cfg, path, out, err);
    }
    xlu_cfg_destroy(cfg);
out:
    if (stream) {
        fclose(stream);
    }
    free(report);
    return rc;
}

int
xlcfg_read(const char *path, char *const extra[], size_t extra_count,
           struct xlcfg *out, struct text_error *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = read_text(path, extra, extra_count, &data, &len);

    if (rc) {
        text_fail(err, rc, "cannot read %s: %s", path, strerror(-rc));
    } else {
        rc = parse(path, data, len, out, err);
    }
    free(data);
    return rc;
}
