/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statuses that refer to what a conn said before us (w5_leg.status_ref): once something else has
 * told what such an entry stood for, it is known for the answers that follow.
 */
#include "engine/h2.h"

static size_t learned_at(const struct h2 *h2, uint16_t ref)
{
	size_t n = min_size(h2->nlearned, H2_LEARNED), i = 0;

	while (i < n && h2->learned[i].ref != ref)
		i++;
	return i < n ? i : H2_LEARNED;
}

uint16_t h2_status_of(const struct engine *e, uint64_t conn_cookie, uint16_t ref, uint32_t agreed)
{
	const struct text_conn *tc = texts_find(e, conn_cookie);
	size_t i = tc && tc->h2 ? learned_at(tc->h2, ref) : H2_LEARNED;

	return i < H2_LEARNED && tc->h2->learned[i].times >= agreed ? tc->h2->learned[i].status : 0;
}

void h2_status_learn(struct engine *e, uint64_t conn_cookie, uint16_t ref, uint16_t status)
{
	struct text_conn *tc = texts_find(e, conn_cookie);
	struct h2 *h2 = tc ? tc->h2 : NULL;
	size_t i;

	if (!h2)
		return;
	i = learned_at(h2, ref);
	if (i == H2_LEARNED) {
		i = h2->nlearned++ % H2_LEARNED;
		h2->learned[i].times = 0;
	}
	if (h2->learned[i].status != status)
		h2->learned[i].times = 0;
	h2->learned[i].ref = ref;
	h2->learned[i].status = status;
	h2->learned[i].times++;
}
