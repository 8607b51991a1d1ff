/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array: selecting in order of time appends. */
#include "tui/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

size_t findings_place(struct finding *const *v, size_t n, uint64_t id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void selection_clear(struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		finding_unref(s->f[i]);
	free(s->f);
	*s = (struct selection){ 0 };
}

bool selection_has(const struct selection *s, uint64_t id)
{
	size_t at = findings_place(s->f, s->n, id);

	return at < s->n && s->f[at]->id == id;
}

int selection_add(struct selection *s, struct finding *f)
{
	size_t at = findings_place(s->f, s->n, f->id);

	if (at < s->n && s->f[at]->id == f->id)
		return 0;
	if (s->n == SELECTION_MAX)
		return -ENOSPC;
	if (array_room(s->f, &s->cap, s->n, 16))
		return -ENOMEM;
	memmove(&s->f[at + 1], &s->f[at], (s->n - at) * sizeof(*s->f));
	s->f[at] = finding_ref(f);
	s->n++;
	return 0;
}

int selection_toggle(struct selection *s, struct finding *f)
{
	size_t at = findings_place(s->f, s->n, f->id);

	if (at >= s->n || s->f[at]->id != f->id)
		return selection_add(s, f);
	finding_unref(s->f[at]);
	s->n--;
	memmove(&s->f[at], &s->f[at + 1], (s->n - at) * sizeof(*s->f));
	return 0;
}
