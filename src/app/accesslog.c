// SPDX-License-Identifier: BSD-2-Clause
/* The access logs of the command line: followed beside the kernel, into the same engine. */

#include "app/app.h"
#include "base/log.h"
#include "base/clock.h"
#include "base/util.h"
#include "source/logs.h"

_Static_assert(ACCESS_LOGS_MAX == LOGS_MAX, "as many as can be named can be followed");

static void on_record(void *self, const struct w5_hdr *rec)
{
	app_record(self, rec);
}

static void on_say(void *self, bool is_warning, const char *text)
{
	(void)self;
	if (is_warning)
		log_warn("%s", text);
	else
		log_info("%s", text);
}

int app_logs_open(struct app *a)
{
	static const struct logs_ops ops = { .record = on_record, .say = on_say };
	const struct access_logs *given = &a->opt->access_logs;
	char err[LOGS_ERR_MAX] = "out of memory";
	int rc = 0;

	if (!given->n)
		return 0;
	rc = logs_new(&a->logs, &ops, a);
	for (size_t i = 0; i < given->n && !rc; i++)
		rc = logs_add(a->logs, given->log[i].path, given->log[i].format, err);
	if (rc) {
		log_error("%s", err);
		app_logs_close(a);
	}
	return rc;
}

void app_logs_poll(struct app *a)
{
	struct log_clock c = { .now_ns = clock_ns(CLOCK_MONOTONIC) };

	if (!a->logs)
		return;
	c.wall_offset_ns = clock_ns(CLOCK_REALTIME) - c.now_ns;
	logs_poll(a->logs, &c);
}

void app_logs_gateway(struct app *a, const struct w5_hdr *rec)
{
	logs_gateway(a->logs, (const struct w5_gateway *)rec);
}

void app_logs_close(struct app *a)
{
	logs_free(take_ptr(a->logs));
}
