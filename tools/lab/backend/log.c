// SPDX-License-Identifier: BSD-2-Clause
/* The backend's own truth, see main.c for its columns. */
#include "backend.h"

#include <stdio.h>
#include <unistd.h>

#include "../common/process.h"

void log_flush(struct backend *b)
{
	if (b->log_fd >= 0 && b->log_len && write(b->log_fd, b->log, b->log_len) < 0)
		b->log_fd = -1; /* disk full: the lab goes on, the join will say what is missing */
	b->log_len = 0;
}

void log_line(const struct conn *c, const char *event)
{
	struct backend *b = c->port->backend;
	int n;

	if (b->log_fd < 0)
		return;
	if (b->log_len + 256 > sizeof(b->log))
		log_flush(b);
	n = snprintf(b->log + b->log_len, 256, "%llu\t%s\t%s\t%u\t%u\t%s\t%u\t%s\n",
		     (unsigned long long)now_ns(CLOCK_REALTIME) / 1000, event, c->peer,
		     c->peer_port, c->port->number, c->id[0] ? c->id : "-", c->nr, c->port->name);
	b->log_len += n < 256 ? (size_t)n : 255;
}
