/* SPDX-License-Identifier: BSD-2-Clause */
/* See printout.h. */
#include "sink/printout.h"

#include <errno.h>
#include <stdlib.h>

#define FLUSH_AT     (32 << 10) /* do not wait for the tick with more than this */
#define PRINTOUT_MAX (4 << 20)	/* a reader that far behind loses findings, counted */

int printout_end_block(struct printout *p, size_t from)
{
	int err = p->out.err;

	if (err)
		buf_cut(&p->out, from);
	return err;
}

static void tell_ready(struct printout *p, const struct engine *e)
{
	size_t from = p->out.len;

	p->ready_waits = false;
	p->ops->ready(p, e);
	printout_end_block(p, from);
}

int printout_finding(void *self, struct finding *f)
{
	struct printout *p = self;
	int err, flush_err = 0;
	size_t from;

	if (p->ready_waits)
		tell_ready(p, p->engine);
	p->has_begun = true;
	tally_add(&p->tally, f);
	if (p->out.len >= FLUSH_AT)
		flush_err = buf_flush(&p->out, p->fd);
	from = p->out.len;
	p->ops->finding(p, f, p->pcap ? pcap_dir_saved(p->pcap, f) : NULL);
	err = printout_end_block(p, from);
	if (err)
		p->unwritten++;
	return err ? err : flush_err;
}

int printout_tick(void *self, const struct engine *e)
{
	const struct engine_upstream *u;
	struct printout *p = self;

	if (p->ready_waits)
		tell_ready(p, e);
	while ((u = warnings_next(&p->warnings, e))) {
		size_t from = p->out.len;

		p->ops->warning(p, e, u);
		printout_end_block(p, from);
	}
	return buf_flush(&p->out, p->fd);
}

void printout_close(void *self, const struct engine *e)
{
	struct printout *p = self;

	/* else nothing was ever watched */
	if (p->has_begun && (engine_counters(e)->now_ns || p->ops->sums_up_nothing)) {
		if (p->ready_waits)
			tell_ready(p, e);
		p->ops->summary(p, e);
	}
	buf_flush(&p->out, p->fd);
	buf_fini(&p->out);
	pcap_dir_unref(p->pcap);
	free(p);
}

int printout_new(struct sink *out, const struct printout_ops *ops, int fd)
{
	struct printout *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->ops = ops;
	p->fd = fd;
	buf_init(&p->out, PRINTOUT_MAX);
	*out = (struct sink){ .ops = &ops->sink, .self = p };
	return 0;
}

void printout_set_filter(const struct sink *s, const struct sink_filter *flt)
{
	struct printout *p = s->self;

	p->filter = flt;
}

void printout_set_pcap(const struct sink *s, const struct sink *pcap)
{
	struct printout *p = s->self;

	p->pcap = pcap_dir_ref(pcap);
}

/* A replay is ready before its first record: the gateways come with the first finding. */
int printout_ready(const struct sink *s, const struct engine *e)
{
	struct printout *p = s->self;

	p->engine = e;
	p->has_begun = p->ready_waits = true;
	if (!p->ops->is_ready(e))
		return 0;
	tell_ready(p, e);
	return buf_flush(&p->out, p->fd);
}
