/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands that ask: what they send, and what they print of an answer. */
#include <argp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ctl-server.h"
#include "tools/viommu-ctl/command.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Long enough for a loaded machine. */
#define PATIENT_MS 10000
#define HASTY_MS   150

#define STATUS                                                                \
    "{\"domid\": 7, \"pid\": 42, \"version\": \"0.1.0\", "                    \
    "\"uptime-ms\": 3725999, \"state\": \"running\", "                        \
    "\"config\": \"type=intel_vtd\", \"notes\": [\"be careful\\u001b[2J\"], " \
    "\"ioreq\": {\"server\": 1, \"vcpus\": 2}, \"units\": [{\"unit\": 0, "    \
    "\"base\": 4275634176, \"dma\": \"legacy\", \"translating\": true, "      \
    "\"devices\": [\"00:04.0\", \"00:05.1\"], \"wired\": false, "             \
    "\"intremap\": true, \"x2apic\": true, "                                  \
    "\"queue\": true, \"compat-blocked\": true, \"table-entries\": 65536, "   \
    "\"faults-pending\": 0}], \"xen\": {\"version\": 1, \"features\": 1, "    \
    "\"owner\": 1, \"remapped\": 18446744073709551615, \"events\": 3, "       \
    "\"lost\": 0, \"requests\": 4}}"

#define REGS                                                               \
    "[{\"name\": \"VER\", \"offset\": 0, \"size\": 4, \"value\": 16, "     \
    "\"fields\": [{\"name\": \"MAX\", \"value\": 1}, {\"name\": \"MIN\", " \
    "\"value\": 0}]}, {\"name\": \"CAP\", \"offset\": 8, \"size\": 8, "    \
    "\"value\": 18446744073709551615, \"fields\": []}]"

#define ENTRY(index)                                                         \
    "{\"index\": " #index ", \"raw\": [\"0x0000000200310001\", "             \
    "\"0x000000000000ff00\"], \"present\": true, \"verdict\": \"ok\", "      \
    "\"vector\": 49, \"dest\": 2, \"mode\": \"fixed\", \"logical\": false, " \
    "\"level\": true, \"sid\": 65280, \"sid-check\": \"exact\", "            \
    "\"announced\": true, \"stale\": false}"

#define WALK                                                                 \
    "{\"unit\": 0, \"sid\": 40, \"pasid\": 5, \"iova\": 4096, \"access\": "  \
    "\"r\", \"mode\": \"first-stage\", \"levels\": 4, \"did\": 3, "          \
    "\"steps\": [{\"what\": \"root\", \"level\": null, \"gpa\": 8192, "      \
    "\"raw\": [\"0x0000000000003001\"]}, {\"what\": \"first-stage\", "       \
    "\"level\": 4, \"gpa\": 12288, \"raw\": [\"0x0000000000000000\"]}], "    \
    "\"reason\": 113, \"verdict\": \"first-stage entry not present\", "      \
    "\"gpa\": null, \"size\": null, \"permits\": \"\", \"text\": "           \
    "\"Refused: nobody has mapped this page in the tables of the PASID, or " \
    "has unmapped it.\"}"

#define WALK_PRINTED                                                       \
    "device              00:05.0\n"                                        \
    "PASID               5\n"                                              \
    "address             0x1000\n"                                         \
    "access              r\n"                                              \
    "unit                0\n"                                              \
    "translation         first-stage\n"                                    \
    "  levels            4\n"                                              \
    "  domain            3\n"                                              \
    "ENTRY        LEVEL  AT      RAW\n"                                    \
    "root         -      0x2000  0x0000000000003001\n"                     \
    "first-stage  4      0x3000  0x0000000000000000\n"                     \
    "verdict             first-stage entry not present\n"                  \
    "guest physical      -\n"                                              \
    "page size           -\n"                                              \
    "permitted           \n"                                               \
    "Refused: nobody has mapped this page in the tables of the PASID, or " \
    "has\n"                                                                \
    "unmapped it.\n"

static enum command_status
run(struct server *server, struct ctl *ctl, const struct command *command,
    const char *const *arg, char **out)
{
    char text[8][64];
    char *argv[9] = { NULL };
    enum command_status status;
    size_t len = 0;
    int argc = 0;

    snprintf(text[argc], sizeof(text[0]), "%s", command->name);
    argv[argc] = text[argc];
    argc++;
    for (; arg && arg[argc - 1]; argc++) {
        snprintf(text[argc], sizeof(text[0]), "%s", arg[argc - 1]);
        argv[argc] = text[argc];
    }
    server_start(server);
    ctl->run_dir = server->dir;
    ctl->out = open_memstream(out, &len);
    assert_non_null(ctl->out);
    status = command->run(ctl, argc, argv);
    fclose(ctl->out);
    server_stop(server);
    return status;
}

static const struct query_case {
    struct command command;
    const char *arg[7];  /* NULL ends */
    const char *answer;  /* to the second request                     */
    const char *request; /* the second                                */
    const char *out;     /* what is printed                           */
    enum command_status status;
} cases[] = {
    { { .name = "status", .run = cmd_status },
      { "7" },
      STATUS,
      "{\"execute\":\"query-status\",\"id\":2}",
      "domain              7 (?)\n"
      "state               running\n"
      "pid                 42\n"
      "version             0.1.0\n"
      "configuration       type=intel_vtd\n"
      "up for              1:02:05\n"
      "ioreq server        1\n"
      "vCPUs               2\n"
      "unit                0\n"
      "  register page     0xfed90000\n"
      "  devices named     00:04.0 00:05.1\n"
      "  DMA remapping     legacy\n"
      "  translation       enabled\n"
      "  wired to Xen      no\n"
      "  remapping         enabled\n"
      "  mode              x2APIC, 32-bit destinations\n"
      "  compatibility     blocked\n"
      "  table entries     65536\n"
      "  queue             enabled\n"
      "  faults pending    0\n"
      "Xen's interface     1\n"
      "  features          0x1\n"
      "  owner             1\n"
      "  remapped          18446744073709551615\n"
      "  events            3\n"
      "  events lost       0\n"
      "  requests          4\n"
      "note: be careful?[2J\n",
      COMMAND_OK },
    { { .name = "status", .run = cmd_status },
      { "7" },
      "{\"pid\": \"x\", \"state\": [], \"units\": [null, 5], \"xen\": null}",
      "{\"execute\":\"query-status\",\"id\":2}",
      "domain              7 (?)\n"
      "state               ?\n"
      "pid                 ?\n"
      "version             ?\n"
      "configuration       ?\n"
      "ioreq server        ?\n"
      "vCPUs               ?\n"
      "unit                ?\n"
      "  register page     ?\n"
      "  devices named     ?\n"
      "  DMA remapping     ?\n"
      "  translation       ?\n"
      "  wired to Xen      ?\n"
      "  remapping         ?\n"
      "  mode              ?\n"
      "  compatibility     ?\n"
      "  table entries     ?\n"
      "  queue             ?\n"
      "  faults pending    ?\n"
      "unit                ?\n"
      "  register page     ?\n"
      "  devices named     ?\n"
      "  DMA remapping     ?\n"
      "  translation       ?\n"
      "  wired to Xen      ?\n"
      "  remapping         ?\n"
      "  mode              ?\n"
      "  compatibility     ?\n"
      "  table entries     ?\n"
      "  queue             ?\n"
      "  faults pending    ?\n"
      "Xen's interface     ?\n"
      "  features          ?\n"
      "  owner             ?\n"
      "  remapped          ?\n"
      "  events            ?\n"
      "  events lost       ?\n"
      "  requests          ?\n",
      COMMAND_OK },
    { { .name = "regs", .run = cmd_regs },
      { "7", "--unit=2" },
      REGS,
      "{\"execute\":\"query-regs\",\"arguments\":{\"unit\":2},\"id\":2}",
      "0x000  VER           0x00000010\n"
      "        MAX=1 MIN=0\n"
      "0x008  CAP           0xffffffffffffffff\n",
      COMMAND_OK },
    { { .name = "regs", .run = cmd_regs },
      { "7", "cap" },
      REGS,
      "{\"execute\":\"query-regs\",\"arguments\":{\"unit\":0},\"id\":2}",
      "0x008  CAP           0xffffffffffffffff\n",
      COMMAND_OK },
    { { .name = "regs", .run = cmd_regs },
      { "7", "CAP", "GSTS" },
      REGS,
      "{\"execute\":\"query-regs\",\"arguments\":{\"unit\":0},\"id\":2}",
      "",
      COMMAND_FAILED },
    { { .name = "regs", .run = cmd_regs },
      { "7" },
      "{}",
      "{\"execute\":\"query-regs\",\"arguments\":{\"unit\":0},\"id\":2}",
      "",
      COMMAND_FAILED },
    { { .name = "irt", .run = cmd_irt },
      { "7" },
      "{\"entries\": 65536, \"base\": 4096, \"list\": [" ENTRY(
          3) "], "
             "\"next\": null}",
      "{\"execute\":\"query-irt\",\"arguments\":{\"unit\":0,\"all\":false,"
      "\"first\":0,\"count\":256},\"id\":2}",
      "table at            0x1000\n"
      "entries             65536\n"
      "shown               1\n"
      "INDEX  VERDICT  VEC   DEST  DM    MODE   TRIGGER  SOURCE   CHECK  XEN"
      "   STALE  RAW\n"
      "3      ok       0x31  0x2   phys  fixed  level    ff:00.0  exact  told"
      "  -      0x0000000200310001 0x000000000000ff00\n",
      COMMAND_OK },
    { { .name = "irt", .run = cmd_irt },
      { "--all", "7" },
      "{\"entries\": 0, \"base\": 0, \"list\": [], \"next\": null}",
      "{\"execute\":\"query-irt\",\"arguments\":{\"unit\":0,\"all\":true,"
      "\"first\":0,\"count\":256},\"id\":2}",
      "table at            0x0\n"
      "entries             0\n"
      "shown               0\n",
      COMMAND_OK },
    { { .name = "irt", .run = cmd_irt },
      { "7" },
      "{\"list\": [], \"next\": 0}",
      "{\"execute\":\"query-irt\",\"arguments\":{\"unit\":0,\"all\":false,"
      "\"first\":0,\"count\":256},\"id\":2}",
      "",
      COMMAND_FAILED },
    { { .name = "irt", .run = cmd_irt },
      { "7" },
      "{\"list\": 5}",
      "{\"execute\":\"query-irt\",\"arguments\":{\"unit\":0,\"all\":false,"
      "\"first\":0,\"count\":256},\"id\":2}",
      "",
      COMMAND_FAILED },
    { { .name = "queue", .run = cmd_queue },
      { "7" },
      "{\"enabled\": true, \"stopped\": false, \"base\": 8192, \"entries\": "
      "256, \"entry-size\": 16, \"head\": 4, \"tail\": 5, \"error\": 0, "
      "\"list\": [{\"index\": 3, \"raw\": [\"0x4\", \"0x0\"], \"type\": "
      "\"iec\", \"pending\": false}, {\"index\": 4, \"raw\": [null, 7], "
      "\"type\": \"wait\", \"pending\": true}]}",
      "{\"execute\":\"query-queue\",\"arguments\":{\"unit\":0},\"id\":2}",
      "queue               enabled\n"
      "state               in order\n"
      "at                  0x2000\n"
      "entries             256\n"
      "bytes an entry      16\n"
      "head                4\n"
      "tail                5\n"
      "last error          0\n"
      "INDEX  TYPE  STATE    RAW\n"
      "3      iec   done     0x4 0x0\n"
      "4      wait  pending  ? 7\n",
      COMMAND_OK },
    { { .name = "faults", .run = cmd_faults },
      { "7" },
      "[{\"record\": 0, \"valid\": true, \"sid\": 40, \"reason\": 38, "
      "\"text\": \"source id check failed\", \"index\": 9, \"raw\": "
      "[\"0x1\"]}, null]",
      "{\"execute\":\"query-faults\",\"arguments\":{\"unit\":0},\"id\":2}",
      "RECORD  STATE  SOURCE   INDEX  REASON  TEXT                    RAW\n"
      "0       fault  00:05.0  9      0x26    source id check failed  0x1\n"
      "?       ?      ?        ?      ?       ?                       ?\n",
      COMMAND_OK },
    { { .name = "stats", .run = cmd_stats },
      { "7" },
      "{\"model\": {\"mmio-reads\": 5}, \"xen\": {\"lost\": -1, \"x\": 1.5}, "
      "\"odd\": 3}",
      "{\"execute\":\"query-stats\",\"arguments\":{\"unit\":0},\"id\":2}",
      "model.mmio-reads            5\n"
      "xen.lost                    -1\n"
      "xen.x                       ?\n",
      COMMAND_OK },
    { { .name = "devices", .run = cmd_devices },
      { "7" },
      "[{\"sid\": 40, \"unit\": 0, \"mode\": \"second-stage\", \"levels\": 3, "
      "\"did\": 2, \"client\": 4, \"pid\": 99, \"blocked\": false, "
      "\"verdict\": \"no fault\"}, {\"sid\": 48, \"unit\": 0, \"mode\": "
      "\"none\", \"levels\": null, \"did\": null, \"client\": null, \"pid\": "
      "null, \"blocked\": true, \"verdict\": \"context entry not present\"}]",
      "{\"execute\":\"query-devices\",\"id\":2}",
      "DEVICE   UNIT  TRANSLATION   LEVELS  DOMAIN  CLIENT  PID  STATE    "
      "VERDICT\n"
      "00:05.0  0     second-stage  3       2       4       99   open     "
      "no fault\n"
      "00:06.0  0     none          -       -       -       -    blocked  "
      "context entry not present\n",
      COMMAND_OK },
    { { .name = "walk", .run = cmd_walk },
      { "7", "0000:00:05.0/5", "0x1000" },
      WALK,
      "{\"execute\":\"query-walk\",\"arguments\":{\"sid\":40,\"pasid\":5,"
      "\"iova\":4096},\"id\":2}",
      WALK_PRINTED,
      COMMAND_OK },
    { { .name = "walk", .run = cmd_walk },
      { "--access=wx", "--privileged", "-u1", "7", "ff:1f.7/0xfffff", "0" },
      "{\"steps\": 7}",
      "{\"execute\":\"query-walk\",\"arguments\":{\"sid\":65535,\"pasid\":"
      "1048575,\"iova\":0,\"access\":6,\"privileged\":true,\"unit\":1},"
      "\"id\":2}",
      "device              ?\n"
      "PASID               ?\n"
      "address             ?\n"
      "access              ?\n"
      "unit                ?\n"
      "translation         ?\n"
      "  levels            ?\n"
      "  domain            ?\n"
      "verdict             ?\n"
      "guest physical      ?\n"
      "page size           ?\n"
      "permitted           ?\n"
      "?\n",
      COMMAND_OK },
    { { .name = "why", .run = cmd_why },
      { "7" },
      "[]",
      "{\"execute\":\"query-why\",\"arguments\":{},\"id\":2}",
      "no DMA was refused since the daemon started\n",
      COMMAND_OK },
    { { .name = "why", .run = cmd_why },
      { "7", "-u", "0" },
      "[{\"unit\": 0, \"faults\": 2, \"sid\": 40, \"pasid\": 5, \"iova\": "
      "4096, \"access\": \"r\", \"reason\": 113, \"text\": \"first-stage entry "
      "not present\", \"recorded\": true, \"meaning\": \"It means a lot.\", "
      "\"still\": \"It would be.\", \"now\": " WALK "}]",
      "{\"execute\":\"query-why\",\"arguments\":{\"unit\":0},\"id\":2}",
      "unit                0\n"
      "faults so far       2\n"
      "the last: device    00:05.0\n"
      "  PASID             5\n"
      "  address           0x1000\n"
      "  access            r\n"
      "  reason            0x71\n"
      "  that is           first-stage entry not present\n"
      "  record            still pending\n"
      "It means a lot.\n"
      "It would be.\n"
      "\n"
      "the same access now:\n" WALK_PRINTED,
      COMMAND_OK },
    { { .name = "tlb", .run = cmd_tlb },
      { "7" },
      "{\"unit\": 0, \"entries\": 4096, \"walks\": 9, \"invalidations\": 3, "
      "\"global\": 1, \"list\": [{\"sid\": 40, \"pasid\": null, \"iova\": "
      "2097152, \"gpa\": 4194304, \"size\": 2097152, \"permits\": \"rw\"}], "
      "\"clients\": [{\"client\": 1, \"misses\": 77}], \"next\": null}",
      "{\"execute\":\"query-tlb\",\"arguments\":{\"unit\":0,\"first\":0,"
      "\"count\":256},\"id\":2}",
      "unit                0\n"
      "entries             4096\n"
      "walks               9\n"
      "invalidations       3\n"
      "  of everything     1\n"
      "valid               1\n"
      "DEVICE   PASID  IOVA      GUEST PHYSICAL  SIZE      PERMITTED\n"
      "00:05.0  -      0x200000  0x400000        0x200000  rw\n"
      "CLIENT  MISSES\n"
      "1       77\n",
      COMMAND_OK },
    { { .name = "clients", .run = cmd_clients },
      { "7" },
      "{\"list\": [{\"client\": 1, \"pid\": 99, \"uid\": 0, \"walks\": true, "
      "\"threads\": 2, \"active\": 1, \"messages\": 5, \"misses\": 77, "
      "\"faults\": 0, \"pending\": 0}], \"stats\": {\"messages\": 5, "
      "\"cut-off\": 0, \"syncs\": 4, \"syncs-waited\": 1, \"drain-us-max\": "
      "12}}",
      "{\"execute\":\"query-clients\",\"id\":2}",
      "messages            5\n"
      "cut off             0\n"
      "syncs               4\n"
      "  that waited       1\n"
      "  at most, in us    12\n"
      "CLIENT  PID  UID  TABLES  THREADS  ACTIVE  MESSAGES  MISSES  FAULTS  "
      "PENDING\n"
      "1       99   0    walks   2        1       5         77      0       "
      "0\n",
      COMMAND_OK },
};

static void
prints_for_people(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char answer[4096];
        struct server server = {
            .script = { SERVER_GREETING, SERVER_READY, answer },
        };
        struct ctl ctl = { .timeout_ms = PATIENT_MS };
        char *out = NULL;

        snprintf(answer, sizeof(answer), "{\"return\": %s, \"id\": 2}\n",
                 cases[i].answer);
        assert_int_equal(
            run(&server, &ctl, &cases[i].command, cases[i].arg, &out),
            cases[i].status);
        assert_string_equal(out, cases[i].out);
        assert_string_equal(server.request[2], cases[i].request);
        free(out);
    }
}

static void
prints_the_answer_as_json(void **state)
{
    static const struct command command = { .name = "stats", .run = cmd_stats };
    static const char *const before[] = { "--json", "7", NULL };
    static const char *const after[] = { "7", "-j", NULL };
    const char *const *const arg[] = { before, after };

    (void)state;
    for (size_t i = 0; i < COUNT(arg); i++) {
        struct server server = {
            .script = { SERVER_GREETING, SERVER_READY,
                        "{\"id\": 2, \"return\": {\"z\": {\"b\": \"/\\u009b\", "
                        "\"a\": 18446744073709551615}}}\n" },
        };
        struct ctl ctl = { .timeout_ms = PATIENT_MS };
        char *out = NULL;

        assert_int_equal(run(&server, &ctl, &command, arg[i], &out),
                         COMMAND_OK);
        assert_string_equal(
            out, "{\"z\":{\"b\":\"/??\",\"a\":18446744073709551615}}\n");
        free(out);
    }
}

static void
refuses_what_is_no_device_and_no_address(void **state)
{
    static const struct command command = { .name = "walk", .run = cmd_walk };
    static const char *const arg[][4] = {
        { "7", "5", "0" },
        { "7", "00:20.0", "0" },
        { "7", "00:05.8", "0" },
        { "7", "0001:00:05.0", "0" },
        { "7", "00:05.0x", "0" },
        { "7", "00:05.0/", "0" },
        { "7", "00:05.0/0x100000", "0" },
        { "7", "00:05.0/1x", "0" },
        { "7", "0x0:05.0", "0" },
        { "7", "00:05.0", "1000x" },
        { "7", "00:05.0", "0x0x1" },
        { "7", "00:05.0", "0x10000000000000000" },
        { "--access=rq", "7", "00:05.0", "0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(arg); i++) {
        const char *word[5] = { NULL };
        struct server server = { .script = { SERVER_GREETING, SERVER_READY } };
        struct ctl ctl = { .timeout_ms = PATIENT_MS };
        char *out = NULL;

        memcpy(word, arg[i], sizeof(arg[i]));
        assert_int_equal(run(&server, &ctl, &command, word, &out),
                         COMMAND_FAILED);
        assert_string_equal(out, "");
        assert_string_equal(server.request[2], "");
        free(out);
    }
}

static void
reads_a_table_page_by_page(void **state)
{
    static const struct command command = { .name = "irt", .run = cmd_irt };
    static const char *const arg[] = { "7", NULL };
    struct server server = {
        .script = { SERVER_GREETING, SERVER_READY,
                    "{\"id\": 2, \"return\": {\"entries\": 600, \"list\": [1], "
                    "\"next\": 256}}\n",
                    "{\"id\": 3, \"return\": {\"entries\": 600, \"list\": [], "
                    "\"next\": 512}}\n",
                    "{\"id\": 4, \"return\": {\"entries\": 600, \"list\": "
                    "[2, 3], \"next\": null}}\n" },
    };
    struct ctl ctl = { .timeout_ms = PATIENT_MS, .json = true };
    char *out = NULL;

    (void)state;
    assert_int_equal(run(&server, &ctl, &command, arg, &out), COMMAND_OK);
    assert_string_equal(out,
                        "{\"entries\":600,\"list\":[1,2,3],\"next\":null}\n");
    assert_non_null(strstr(server.request[3], "\"first\":256,"));
    assert_non_null(strstr(server.request[4], "\"first\":512,"));
    free(out);
}

static void
tells_failures_apart(void **state)
{
    static const struct command command = { .name = "stats", .run = cmd_stats };
    static const char *const ours[] = { "7", NULL };
    static const char *const other[] = { "8", NULL };
    static const struct {
        const char *const *arg;
        const char *answer;
        bool hang;
        enum command_status status;
    } table[] = {
        { other, "", false, COMMAND_NOT_RUNNING },
        { ours, "", true, COMMAND_TIMEOUT },
        { ours, "", false, COMMAND_FAILED },
        { ours, "{\"error\": {\"desc\": \"no\"}}\n", false, COMMAND_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct server server = {
            .script = { SERVER_GREETING, SERVER_READY, table[i].answer },
            .hang = table[i].hang,
        };
        struct ctl ctl = {
            .timeout_ms = table[i].hang ? HASTY_MS : PATIENT_MS,
        };
        char *out = NULL;

        assert_int_equal(run(&server, &ctl, &command, table[i].arg, &out),
                         table[i].status);
        assert_string_equal(out, "");
        free(out);
    }
}

static const struct {
    const char *script[4];
    bool hang;
    const char *out;
} lists[] = {
    { { SERVER_GREETING, SERVER_READY,
        "{\"return\": " STATUS ", \"id\": 2}\n" },
      false,
      "DOMID  NAME  PID  STATE    UNITS\n"
      "7      ?     42   running  x2apic\n" },
    { { SERVER_GREETING, SERVER_READY,
        "{\"return\": {\"domid\": 1, \"state\": \"\\u001b\", \"units\": "
        "[{\"intremap\": true}, {}, null]}, \"id\": 2}\n" },
      false,
      "DOMID  NAME  PID  STATE  UNITS\n"
      "7      ?     ?    ?      xapic off off\n" },
    { { "" },
      true,
      "DOMID  NAME  PID  STATE      UNITS\n"
      "7      ?     ?    no answer  ?\n" },
    { { "{}\n" },
      false,
      "DOMID  NAME  PID  STATE                             UNITS\n"
      "7      ?     ?    viommud's answer has no greeting  ?\n" },
};

static void
lists_daemons(void **state)
{
    static const struct command command = { .name = "list", .run = cmd_list };

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct server server = { .hang = lists[i].hang };
        struct ctl ctl = {
            .timeout_ms = lists[i].hang ? HASTY_MS : PATIENT_MS,
        };
        char *out = NULL;

        memcpy(server.script, lists[i].script, sizeof(lists[i].script));
        assert_int_equal(run(&server, &ctl, &command, NULL, &out), COMMAND_OK);
        assert_string_equal(out, lists[i].out);
        free(out);
    }
}

static void
lists_nothing_without_a_directory(void **state)
{
    char name[] = "list";
    char *argv[] = { name, NULL };
    char *out = NULL;
    size_t len = 0;
    struct ctl ctl = {
        .run_dir = "/nonexistent",
        .json = true,
        .out = open_memstream(&out, &len),
    };

    (void)state;
    assert_int_equal(cmd_list(&ctl, 1, argv), COMMAND_OK);
    fclose(ctl.out);
    assert_string_equal(out, "[]\n");
    free(out);
}

static int
without_xenstore(void **state)
{
    (void)state;
    return setenv("XENSTORED_PATH", "/nonexistent", 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_for_people),
        cmocka_unit_test(prints_the_answer_as_json),
        cmocka_unit_test(refuses_what_is_no_device_and_no_address),
        cmocka_unit_test(reads_a_table_page_by_page),
        cmocka_unit_test(tells_failures_apart),
        cmocka_unit_test(lists_daemons),
        cmocka_unit_test(lists_nothing_without_a_directory),
    };

    return cmocka_run_group_tests_name("query", tests, without_xenstore, NULL);
}
