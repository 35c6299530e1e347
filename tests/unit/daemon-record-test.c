/* SPDX-License-Identifier: GPL-2.0-only */
/* Traces: what is written of a unit, and that nothing else changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/record.h"
#include "tests/support/model.h"

/* A unit whose owner is recorded; the trace is in text[]. */
struct fixture {
    struct model *model;
    struct record *record;
    struct vtd_ops inner;
    const struct vtd_ops *ops; /* around them */
    int put_rc;
    unsigned puts;
    size_t len;
    char text[2 * RECORD_STEP];
};

static int
put(void *ctx, const char *text, size_t len)
{
    struct fixture *f = ctx;

    f->puts++;
    if (f->put_rc)
        return f->put_rc;
    assert_true(len < sizeof(f->text) - f->len);
    assert_int_equal(text[len - 1], '\n');
    memcpy(f->text + f->len, text, len);
    f->len += len;
    f->text[f->len] = '\0';
    return 0;
}

static struct fixture *
begin(const struct vtd_config *config, size_t limit)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->model = model_create(config);
    vtd_destroy(f->model->vtd);
    f->inner = f->model->ops;
    f->inner.page_response = NULL;
    f->record = record_create(put, f, limit);
    assert_non_null(f->record);
    f->ops = record_ops(f->record, config, &f->inner, f->model);
    f->model->vtd = vtd_create(config, f->ops, f->record);
    assert_non_null(f->model->vtd);
    return f;
}

static void
end(struct fixture *f)
{
    record_close(f->record);
    model_destroy(f->model);
    free(f);
}

/* What was written since the last time. */
static void
expect(struct fixture *f, const char *want)
{
    assert_string_equal(f->text, want);
    f->len = 0;
    f->text[0] = '\0';
}

static void
w(struct fixture *f, uint32_t off, unsigned size, uint64_t val)
{
    record_mmio_write(f->record, f->model->vtd, off, size, val);
}

static uint64_t
r(struct fixture *f, uint32_t off, unsigned size)
{
    return record_mmio_read(f->record, f->model->vtd, off, size);
}

static const struct vtd_config config = {
    .ir = true,
    .eim = true,
    .pi = true,
    .haw = 46,
    .fault_records = 8,
};

static void
the_configuration_comes_first(void **state)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);

    (void)state;
    expect(f, "config fault_records=8 haw=2e ir=1 eim=1 pi=1\n");
    end(f);
}

/* Bools take 1 alone; everything of a configuration is a byte. */
static void
every_member_of_the_configuration_comes_back(void **state)
{
    static const struct vtd_ops none = { .mem_read = NULL };

    (void)state;
    for (size_t i = 0; i < sizeof(config); i++) {
        struct fixture *f = calloc(1, sizeof(*f));
        struct vtd_config in;
        struct vtd_config out;

        assert_non_null(f);
        memset(&in, 0, sizeof(in));
        ((uint8_t *)&in)[i] = 1;
        f->record = record_create(put, f, RECORD_LIMIT);
        assert_non_null(f->record);
        (void)record_ops(f->record, &in, &none, NULL);
        assert_true(record_config_parse(f->text, &out));
        assert_memory_equal(&in, &out, sizeof(in));
        record_close(f->record);
        free(f);
    }
}

static void
a_configuration_that_makes_no_sense_is_none(void **state)
{
    struct vtd_config out;

    (void)state;
    assert_true(record_config_parse("config haw=2e ir=1\nr4 0 10\n", &out));
    assert_int_equal(out.haw, 46);
    assert_true(out.ir);
    assert_false(out.eim);
    assert_true(record_config_parse("config", &out));
    assert_false(record_config_parse("configuration", &out));
    assert_false(record_config_parse("r4 0 10\n", &out));
    assert_false(record_config_parse("config colour=1\n", &out));
    assert_false(record_config_parse("config haw\n", &out));
    assert_false(record_config_parse("config haw=\n", &out));
    assert_false(record_config_parse("config haw=100\n", &out));
    assert_false(record_config_parse("config haw=2e,ir=1\n", &out));
}

static void
accesses_are_written_with_what_they_cause(void **state)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);
    struct model *model = f->model;

    (void)state;
    f->len = 0;
    assert_int_equal(r(f, 0, 4), 0x10);
    expect(f, "r4 0 10\n");
    w(f, 0x40, 8, UINT64_C(0x100fee01000));
    expect(f, "w8 40 100fee01000\n");
    assert_int_equal(r(f, 0x44, 1), 0);
    expect(f, "r1 44 0\n");

    w(f, 0xb8, 8, MODEL_IRT | 7);
    w(f, 0x18, 4, 0x1000000);
    w(f, 0x18, 4, 0x2000000);
    expect(f, "w8 b8 100007\n"
              "w4 18 1000000\n > state 0 0 100\n"
              "w4 18 2000000\n > state 1 1 100\n");

    w(f, 0x90, 8, MODEL_QUEUE);
    w(f, 0x18, 4, 0x6000000);
    expect(f, "w8 90 400000\nw4 18 6000000\n");
    model_ram_q_set(model, MODEL_QUEUE, MODEL_WAIT_SW(2));
    model_ram_q_set(model, MODEL_QUEUE + 8, MODEL_STATUS);
    w(f, 0x88, 4, 0x10);
    assert_non_null(strstr(f->text, "w4 88 10\n < 400000 25000000020000"));
    assert_non_null(strstr(f->text, "\n > 2000 02000000\n"));
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
    end(f);
}

/* Remapping on, with a table at MODEL_IRT of 256 entries. */
static struct fixture *
begin_remapping(void)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);

    w(f, 0xb8, 8, MODEL_IRT | 7);
    w(f, 0x18, 4, 0x1000000);
    w(f, 0x18, 4, 0x2000000);
    f->len = 0;
    f->text[0] = '\0';
    return f;
}

static void
a_miss_is_written_with_its_route_and_retry(void **state)
{
    struct fixture *f = begin_remapping();
    const struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 5,
        .sid = 0xff00,
        .sid_valid = true,
        .cookie = 0x111,
    };

    (void)state;
    model_irte_set(f->model, 5, MODEL_IRTE(0x55, 0x300) | 4, 0);
    record_ir_event(f->record, f->model->vtd, &miss);
    expect(f, "event 22 5 ff00 111\n"
              " < 100050 05005500000300000000000000000000\n"
              " > route 5 1 55 3 0 0 0 logical\n"
              " > retry 5 ff00 111\n");
    assert_int_equal(f->model->retry_calls, 1);
    assert_int_equal(f->model->route[5].vector, 0x55);

    /* A table that goes takes its routes along. */
    w(f, 0xb8, 8, MODEL_IRT2 | 7);
    w(f, 0x18, 4, 0x3000000);
    assert_non_null(strstr(f->text, "\n > clear 0 10000\n"));
    end(f);
}

static void
what_cannot_be_read_or_written_is_marked(void **state)
{
    struct fixture *f = begin_remapping();
    const struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 9,
        .lost = true,
    };

    (void)state;
    f->model->bad_gpa = MODEL_IRT + 0x90;
    record_ir_event(f->record, f->model->vtd, &miss);
    assert_non_null(strstr(f->text, "event 22 9 - 0 lost\n <! 100090 10\n"));

    f->model->bad_gpa = MODEL_STATUS;
    w(f, 0x90, 8, MODEL_QUEUE);
    w(f, 0x18, 4, 0x6000000);
    model_ram_q_set(f->model, MODEL_QUEUE, MODEL_WAIT_SW(2));
    model_ram_q_set(f->model, MODEL_QUEUE + 8, MODEL_STATUS);
    w(f, 0x88, 4, 0x10);
    assert_non_null(strstr(f->text, "\n >! 2000 02000000\n"));
    end(f);
}

/* A posted entry 6, whose descriptor is at 0x3000. */
static void
exchanges_and_messages_are_written(void **state)
{
    struct fixture *f = begin_remapping();
    const struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 6,
    };

    (void)state;
    model_irte_set(
        f->model, 6,
        1 | UINT64_C(1) << 15 | UINT64_C(0x41) << 16 | UINT64_C(0xc0) << 38, 0);
    model_ram_q_set(f->model, 0x3020, UINT64_C(0x2) << 40 | 0xf20000);
    record_ir_event(f->record, f->model->vtd, &miss);
    assert_non_null(strstr(f->text, "\n > cmpxchg 3008 0 2 done\n"));
    assert_non_null(strstr(f->text, "\n > cmpxchg 3020 20000f20000 "
                                    "20000f20001 done\n"));
    assert_non_null(strstr(f->text, "\n > msi fee02000 f2\n"));
    assert_int_equal(f->model->msi_count, 1);
    end(f);
}

static void
change_it(struct model *model, uint64_t gpa)
{
    model->before_exchange = NULL;
    model_ram_q_set(model, gpa, model_ram_q(model, gpa) | UINT64_C(1) << 63);
}

static void
an_exchange_that_was_lost_or_impossible_says_so(void **state)
{
    struct fixture *f = begin_remapping();
    const struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 6,
    };

    (void)state;
    model_irte_set(
        f->model, 6,
        1 | UINT64_C(1) << 15 | UINT64_C(0x41) << 16 | UINT64_C(0xc0) << 38, 0);
    f->model->before_exchange = change_it;
    record_ir_event(f->record, f->model->vtd, &miss);
    assert_non_null(strstr(f->text, "\n > cmpxchg 3008 0 2 lost\n"));
    assert_non_null(strstr(f->text, " 8000000000000000 8000000000000002 done"));

    f->model->bad_write = 0x3008;
    model_ram_q_set(f->model, 0x3008, 0);
    record_ir_event(f->record, f->model->vtd, &miss);
    assert_non_null(strstr(f->text, "\n > cmpxchg 3008 0 2 fault\n"));
    end(f);
}

static void
the_rest_of_a_queue_is_a_step(void **state)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);

    (void)state;
    w(f, 0x90, 8, MODEL_QUEUE | 2);
    w(f, 0x18, 4, 0x4000000);
    for (unsigned i = 0; i < 300; i++)
        model_ram_q_set(f->model, MODEL_QUEUE + i * 16, MODEL_IEC_GLOBAL);
    w(f, 0x88, 4, 300 * 16);
    assert_true(vtd_run_pending(f->model->vtd));
    f->len = 0;
    record_run(f->record, f->model->vtd, 256);
    assert_memory_equal(f->text, "run 100\n <", 10);
    assert_false(vtd_run_pending(f->model->vtd));
    end(f);
}

static void
what_nobody_asked_for_is_not_written(void **state)
{
    struct fixture *f = begin_remapping();
    uint64_t desc[4];

    (void)state;
    w(f, 0x90, 8, MODEL_QUEUE);
    w(f, 0x18, 4, 0x6000000);
    f->len = 0;
    f->text[0] = '\0';
    assert_int_equal(vtd_queue_inspect(f->model->vtd, 0, desc), 0);
    vtd_ir_resync(f->model->vtd);
    expect(f, "");
    end(f);
}

static void
a_full_trace_ends_with_a_whole_step_and_says_so(void **state)
{
    static const char last[] = "# The trace is full: more was done.\n";
    const char *head = "config fault_records=8 haw=2e ir=1 eim=1 pi=1\n";
    struct fixture *f = begin(&config, strlen(head) + 3 * 8 + 7);

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(r(f, 0, 4), 0x10);
    assert_int_equal(f->len, strlen(head) + 3 * 8 + strlen(last));
    assert_string_equal(f->text + strlen(head) + 3 * 8, last);
    assert_int_equal(f->puts, 5);

    /* The unit goes on. */
    w(f, 0x40, 4, 0xfee01000);
    assert_int_equal(model_r4(f->model, 0x40), 0xfee01000);
    assert_int_equal(f->puts, 5);
    end(f);
}

/* More effects of one access than the model's budgets let it have. */
static const struct fixture *noisy;

static void
noisy_state(void *ctx, const struct vtd_ir_state *ir_state)
{
    const struct fixture *f = noisy;
    uint64_t quad;

    (void)ctx;
    (void)ir_state;
    for (unsigned i = 0; i < RECORD_STEP / 16; i++)
        assert_int_equal(f->ops->mem_read(f->record, 0x1000, &quad, 8), 0);
}

static void
a_step_that_is_too_long_ends_the_trace(void **state)
{
    struct fixture *f = begin(&config, 16 * RECORD_LIMIT);

    (void)state;
    noisy = f;
    f->inner.ir_state = noisy_state;
    w(f, 0xb8, 8, MODEL_IRT | 15);
    f->len = 0;
    w(f, 0x18, 4, 0x1000000);
    expect(f, "# The trace is full: more was done.\n");
    assert_int_equal(model_r4(f->model, 0x1c), 0x1000000);
    assert_true(f->model->reads >= RECORD_STEP / 16);
    end(f);
}

static void
a_file_that_cannot_be_written_ends_the_trace(void **state)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);

    (void)state;
    f->put_rc = -ENOSPC;
    assert_int_equal(r(f, 0, 4), 0x10);
    assert_int_equal(r(f, 0, 4), 0x10);
    assert_int_equal(f->puts, 2);
    end(f);
}

static unsigned traced;

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    const struct model *model = ctx;

    (void)ev;
    (void)arg;
    assert_int_equal(model->reads, 0);
    traced++;
}

static void
a_traced_unit_stays_traced(void **state)
{
    struct fixture *f = begin(&config, RECORD_LIMIT);

    (void)state;
    vtd_destroy(f->model->vtd);
    f->inner.trace = trace;
    f->model->vtd =
        vtd_create(&config, record_ops(f->record, &config, &f->inner, f->model),
                   f->record);
    assert_non_null(f->model->vtd);
    traced = 0;
    (void)r(f, 0, 4);
    assert_true(traced > 0);
    end(f);
}

/* --- the file ------------------------------------------------------------- */

static void
the_file_is_its_owners_and_begins_empty(void **state)
{
    char dir[] = "/tmp/viommud-record-XXXXXX";
    char path[64];
    char link[64];
    char text[128] = "";
    struct record *record;
    struct stat st;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/trace", dir);
    (void)snprintf(link, sizeof(link), "%s/link", dir);
    assert_int_equal(symlink(path, link), 0);
    assert_null(record_open(link, RECORD_LIMIT));
    assert_int_equal(errno, ELOOP);

    for (unsigned i = 0; i < 2; i++) {
        static const struct vtd_ops none = { .mem_read = NULL };

        record = record_open(path, RECORD_LIMIT);
        assert_non_null(record);
        (void)record_ops(record, &config, &none, NULL);
        record_close(record);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    file = fopen(path, "re");
    assert_non_null(file);
    (void)!fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    assert_string_equal(text,
                        "config fault_records=8 haw=2e ir=1 eim=1 pi=1\n");

    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_null(record_open(path, RECORD_LIMIT));
    assert_int_equal(errno, ENOENT);
}

static void
a_full_disk_is_noticed(void **state)
{
    static const struct vtd_ops none = { .mem_read = NULL };
    struct record *record = record_open("/dev/full", RECORD_LIMIT);

    (void)state;
    assert_non_null(record);
    (void)record_ops(record, &config, &none, NULL);
    record_close(record);
    record_close(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_comes_first),
        cmocka_unit_test(every_member_of_the_configuration_comes_back),
        cmocka_unit_test(a_configuration_that_makes_no_sense_is_none),
        cmocka_unit_test(accesses_are_written_with_what_they_cause),
        cmocka_unit_test(a_miss_is_written_with_its_route_and_retry),
        cmocka_unit_test(what_cannot_be_read_or_written_is_marked),
        cmocka_unit_test(exchanges_and_messages_are_written),
        cmocka_unit_test(an_exchange_that_was_lost_or_impossible_says_so),
        cmocka_unit_test(the_rest_of_a_queue_is_a_step),
        cmocka_unit_test(what_nobody_asked_for_is_not_written),
        cmocka_unit_test(a_full_trace_ends_with_a_whole_step_and_says_so),
        cmocka_unit_test(a_step_that_is_too_long_ends_the_trace),
        cmocka_unit_test(a_file_that_cannot_be_written_ends_the_trace),
        cmocka_unit_test(a_traced_unit_stays_traced),
        cmocka_unit_test(the_file_is_its_owners_and_begins_empty),
        cmocka_unit_test(a_full_disk_is_noticed),
    };

    log_open(LOG_LEVEL_ERROR, 0);
    return cmocka_run_group_tests_name("daemon-record", tests, NULL, NULL);
}
