// SPDX-License-Identifier: BSD-2-Clause
/* The host's limits: sampled beside the kernel side, into the same engine; and for doctor. */
#include "source/limits.h"

#include <errno.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/util.h"
#include "kernel/cgroup.h"
#include "kernel/kernel.h"
#include "kernel/readable.h"
#include "sink/hostrows.h"

static void on_record(void *self, const struct w5_hdr *rec)
{
	app_record(self, rec);
}

/* Without memory for them findings are as good, but for what the limits would add. */
void app_limits_open(struct app *a)
{
	struct limits_cfg cfg = { .record = on_record, .self = a };

	a->cgroup_root = cfg.cgroup_root = cgroup_root_open();
	if (limits_new(&a->limits, &cfg))
		a->limits = NULL;
}

void app_limits_poll(struct app *a)
{
	if (a->limits)
		limits_poll(a->limits, clock_ns(CLOCK_MONOTONIC));
}

/* What the sampler has to know of the stream: gateways, and connects that failed. */
void app_limits_record(struct app *a, const struct w5_hdr *rec)
{
	const struct w5_leg *l = (const struct w5_leg *)rec;

	if (rec->type == W5_REC_GATEWAY)
		limits_gateway(a->limits, (const struct w5_gateway *)rec);
	else if (rec->type == W5_REC_ATTEMPT && l->phase == W5_PHASE_CONNECT)
		limits_connect_failed(a->limits);
}

void app_limits_close(struct app *a)
{
	if (!a->limits)
		return;
	limits_free(take_ptr(a->limits));
	closep(&a->cgroup_root);
}

/* ---- doctor ---- */

struct doctor {
	struct limits *limits;
	int cgroup_root;
	FILE *out;
};

static const char *const marks[] = { "?", "ok", "near", "TROUBLE" };

/* The same rows as on the screen, once. */
static void print_limits(void *self, const struct w5_hdr *rec)
{
	const struct doctor *d = self;
	struct engine_host h = { .now = *(const struct w5_host *)rec };
	struct host_row rows[HOST_ROWS_MAX];
	size_t n = host_rows(rows, ARRAY_SIZE(rows), &h);

	for (size_t i = 0; i < n; i++) {
		const struct host_row *r = &rows[i];
		char detail[64];

		if (r->percent >= 0)
			snprintf(detail, sizeof(detail), "%s of %s (%d%%)", r->now, r->limit,
				 r->percent);
		else
			snprintf(detail, sizeof(detail), "%s%s", r->now,
				 r->has_rate ? " since it began" : "");
		fprintf(d->out, "%-7s   %-38s %s\n", marks[r->level], r->what, detail);
		if (r->level >= HOST_WARN)
			fprintf(d->out, "%-7s     %s\n", "", r->todo);
	}
}

static void doctor_gateway(void *self, const struct w5_gateway *g)
{
	struct doctor *d = self;

	limits_gateway(d->limits, g);
}

static void doctor_print(void *self, uint32_t group)
{
	struct doctor *d = self;

	limits_once(d->limits, group, clock_ns(CLOCK_MONOTONIC));
}

enum app_exit app_doctor(const struct options *opt)
{
	struct doctor d = { .cgroup_root = cgroup_root_open(), .out = stdout };
	struct limits_cfg limits = { .cgroup_root = d.cgroup_root,
				     .record = print_limits,
				     .self = &d };
	struct kernel_doctor_ops ops = { .gateway = doctor_gateway,
					 .limits = doctor_print,
					 .self = &d };
	struct kernel_cfg cfg;
	int err;

	app_kernel_config(&cfg, opt);
	if (limits_new(&d.limits, &limits))
		return APP_EXIT_FAILURE;
	err = kernel_doctor(&cfg, &ops, stdout);
	limits_free(d.limits);
	closep(&d.cgroup_root);
	return err ? APP_EXIT_HOST : APP_EXIT_OK;
}
