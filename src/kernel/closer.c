// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/closer.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

#define WATCH_NS (60 * 1000 * 1000 * 1000ull)

static void tell(struct closer *c, uint64_t now)
{
	struct w5_unix u = { .h = { .ts_ns = now, .type = W5_REC_UNIX, .size = sizeof(u) },
			     .watched = c->link != NULL };

	c->told = c->link != NULL;
	c->on_record(c->self, &u.h);
}

void closer_start(struct closer *c, uint64_t now)
{
	if (bpf_program__fd(c->program) >= 0)
		tell(c, now);
}

void closer_ask(struct closer *c)
{
	c->asked = true;
	if (c->link || !c->program || bpf_program__fd(c->program) < 0)
		return;
	c->link = bpf_program__attach_trace(c->program);
	log_debug("watching connects to local sockets: %s", c->link ? "on" : strerror(errno));
}

void closer_mind(struct closer *c, uint64_t now)
{
	if (c->asked)
		c->until_ns = now + WATCH_NS;
	c->asked = false;
	if (c->link && !c->told)
		tell(c, now);
	if (!c->link || now < c->until_ns)
		return;
	bpf_link__destroy(take_ptr(c->link));
	tell(c, now);
	log_debug("watching connects to local sockets: off");
}

void closer_fini(struct closer *c)
{
	bpf_link__destroy(take_ptr(c->link));
}
