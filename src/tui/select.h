/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exchanges that were selected, to save them together. Holds a reference to each, so
 * that it can be saved even after newer ones have pushed it out of the list.
 */
#ifndef TUI_SELECT_H
#define TUI_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"

#define SELECTION_MAX 10000 /* its memory is beside --max-exchanges */

struct selection {
	struct finding **f; /* by id, rising */
	size_t n, cap;
};

/* Where id is, or would be, among findings in order of their ids. */
size_t findings_place(struct finding *const *v, size_t n, uint64_t id);

void selection_clear(struct selection *s);
bool selection_has(const struct selection *s, uint64_t id);
/* 0, -ENOSPC or -ENOMEM. Those that are in already stay. */
int selection_add(struct selection *s, struct finding *f);
int selection_toggle(struct selection *s, struct finding *f);

#endif
