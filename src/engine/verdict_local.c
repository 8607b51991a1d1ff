/* SPDX-License-Identifier: BSD-2-Clause */
/* Was it on a local socket, whose traffic nobody sees? */
#include "engine/sockets.h"
#include "engine/verdict.h"

bool verdict_hidden_by(struct work *w, const struct w5_unix *u, bool is_of_this)
{
	w->say.local = u;
	w->say.local_is_of_this = is_of_this;
	w->say.earlier = NULL;
	return verdict_unknown(w, NULL);
}

/* Its last try, or its only one, was on a local socket that took the connection. */
bool verdict_local(struct work *w, bool must_be_sure)
{
	uint64_t after_ns = w->n ? leg_settled_ns(&w->links[w->n - 1].turn->leg) : 0;
	bool sure;
	const struct w5_unix *u = sockets_tried(w->e, w->p, &sure);

	if (!u || u->h.ts_ns < after_ns || (must_be_sure && !sure))
		return false;
	return verdict_hidden_by(w, u, true);
}

/* A conn that was there before may have served it on a local socket: so did this route before, or
 * the one that the route failed at (x) takes connections again. */
const struct w5_unix *verdict_local_instead(const struct work *w, const struct route *route,
					    const struct failure *x)
{
	if (x && w->say.kin == KIN_ROUTE && w5_addr_is_path(&x->ip))
		return sockets_used(w->e, w->p, x->ts_ns);
	return sockets_of_route(w->e, w->p, route);
}
