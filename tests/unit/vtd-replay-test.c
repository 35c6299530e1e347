/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays what drivers do, the traces of tests/replay, against a unit.  One step a
 * line, numbers in hexadecimal without prefix, # starts a comment:
 *
 *   unit [eim] [esirtps] RECORDS   start over with a new unit
 *   w4 OFF VAL, w8 OFF VAL         write a register
 *   r4 OFF VAL, r8 OFF VAL         read it and compare
 *   mw GPA VAL, mr GPA VAL         write, or read and compare, a quadword
 *   remap ADDR DATA SID FAULT      remap a request; FAULT 0 if it passes
 *   route INDEX VECTOR DEST        the route announced for an entry
 *   noroute INDEX                  none is
 *   state ENABLED BLOCK ENTRIES    what the owner was told last
 *   msi COUNT                      messages the unit sent so far
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define ARGS_MAX 4

struct player {
    struct model *model;
    const char *file;
    unsigned line;
};

static void
expect(const struct player *player, uint64_t got, uint64_t want)
{
    if (got != want) {
        fail_msg("%s:%u: got %#llx, want %#llx", player->file, player->line,
                 (unsigned long long)got, (unsigned long long)want);
    }
}

static void
do_w4(struct player *player, const uint64_t *arg)
{
    model_w4(player->model, (uint32_t)arg[0], (uint32_t)arg[1]);
}

static void
do_w8(struct player *player, const uint64_t *arg)
{
    model_w8(player->model, (uint32_t)arg[0], arg[1]);
}

static void
do_r4(struct player *player, const uint64_t *arg)
{
    expect(player, model_r4(player->model, (uint32_t)arg[0]), arg[1]);
}

static void
do_r8(struct player *player, const uint64_t *arg)
{
    expect(player, model_r8(player->model, (uint32_t)arg[0]), arg[1]);
}

static void
do_mw(struct player *player, const uint64_t *arg)
{
    assert_true(arg[0] <= MODEL_RAM_SIZE - 8);
    model_ram_q_set(player->model, arg[0], arg[1]);
}

static void
do_mr(struct player *player, const uint64_t *arg)
{
    assert_true(arg[0] <= MODEL_RAM_SIZE - 8);
    expect(player, model_ram_q(player->model, arg[0]), arg[1]);
}

static void
do_remap(struct player *player, const uint64_t *arg)
{
    struct vtd_route route;

    expect(player,
           vtd_ir_remap(player->model->vtd, arg[0], (uint32_t)arg[1],
                        (uint16_t)arg[2], true, &route),
           arg[3]);
}

static void
do_route(struct player *player, const uint64_t *arg)
{
    const struct vtd_route *route;

    assert_true(arg[0] < VTD_IRT_MAX);
    route = &player->model->route[arg[0]];
    expect(player, route->present, 1);
    expect(player, route->vector, arg[1]);
    expect(player, route->dest, arg[2]);
}

static void
do_noroute(struct player *player, const uint64_t *arg)
{
    assert_true(arg[0] < VTD_IRT_MAX);
    expect(player, player->model->route[arg[0]].present, 0);
}

static void
do_state(struct player *player, const uint64_t *arg)
{
    expect(player, player->model->state.enabled, arg[0]);
    expect(player, player->model->state.block_compat, arg[1]);
    expect(player, player->model->state.entries, arg[2]);
}

static void
do_msi(struct player *player, const uint64_t *arg)
{
    expect(player, player->model->msi_count, arg[0]);
}

static const struct step {
    const char *name;
    unsigned args;
    void (*run)(struct player *player, const uint64_t *arg);
} steps[] = {
    { "w4", 2, do_w4 },           { "w8", 2, do_w8 },
    { "r4", 2, do_r4 },           { "r8", 2, do_r8 },
    { "mw", 2, do_mw },           { "mr", 2, do_mr },
    { "remap", 4, do_remap },     { "route", 3, do_route },
    { "noroute", 1, do_noroute }, { "state", 3, do_state },
    { "msi", 1, do_msi },
};

static void
start_unit(struct player *player, char *words)
{
    struct vtd_config config = { .ir = true, .haw = 52 };
    char *save;

    for (char *word = strtok_r(words, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        if (strcmp(word, "eim") == 0) {
            config.eim = true;
        } else if (strcmp(word, "esirtps") == 0) {
            config.esirtps = true;
        } else {
            config.fault_records = (uint8_t)strtoul(word, NULL, 16);
        }
    }
    if (player->model) {
        model_destroy(player->model);
    }
    player->model = model_create(&config);
}

static void
play_step(struct player *player, const char *name, char *words)
{
    const struct step *step = steps;
    const struct step *end = steps + sizeof(steps) / sizeof(steps[0]);
    uint64_t arg[ARGS_MAX];

    while (step < end && strcmp(step->name, name) != 0) {
        step++;
    }
    if (step == end || !player->model) {
        fail_msg("%s:%u: no step '%s', or no unit yet", player->file,
                 player->line, name);
    }
    for (unsigned i = 0; i < step->args; i++) {
        char *rest;

        arg[i] = strtoull(words, &rest, 16);
        if (rest == words) {
            fail_msg("%s:%u: '%s' takes %u numbers", player->file, player->line,
                     name, step->args);
        }
        words = rest;
    }
    if (words[strspn(words, " ")] != '\0') {
        fail_msg("%s:%u: trailing '%s'", player->file, player->line, words);
    }
    step->run(player, arg);
}

/* Returns how many steps the file has. */
static unsigned
play_file(const char *path)
{
    struct player player = { .file = path };
    FILE *file = fopen(path, "r");
    unsigned count = 0;
    char text[256];

    assert_non_null(file);
    while (fgets(text, sizeof(text), file)) {
        char *name = text + strspn(text, " ");
        char *words;

        player.line++;
        text[strcspn(text, "#\n")] = '\0';
        if (*name == '\0') {
            continue;
        }
        words = name + strcspn(name, " ");
        if (*words != '\0') {
            *words++ = '\0';
        }
        count++;
        if (strcmp(name, "unit") == 0) {
            start_unit(&player, words);
        } else {
            play_step(&player, name, words);
        }
    }
    (void)fclose(file);
    if (player.model) {
        model_destroy(player.model);
    }
    return count;
}

static void
traces_play_as_recorded(void **state)
{
    static const char dir_name[] = "tests/replay";
    DIR *dir = opendir(dir_name);
    const struct dirent *entry;
    unsigned files = 0;

    (void)state;
    if (!dir) {
        fail_msg("no %s here: run this from the top of the tree", dir_name);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[512];

        if (!dot || strcmp(dot, ".trace") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", dir_name, entry->d_name);
        assert_true(play_file(path) > 20);
        files++;
    }
    (void)closedir(dir);
    assert_true(files >= 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_play_as_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
