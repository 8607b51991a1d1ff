// SPDX-License-Identifier: BSD-2-Clause
/* The names in the gateways' configurations, looked up beside the kernel, into the same engine. */

#include "app/app.h"
#include "base/clock.h"
#include "base/util.h"
#include "source/names.h"

static void on_record(void *self, const struct w5_hdr *rec)
{
	app_record(self, rec);
}

int app_names_open(struct app *a)
{
	return names_new(&a->names, on_record, a);
}

void app_names_poll(struct app *a)
{
	names_poll(a->names, clock_ns(CLOCK_MONOTONIC));
}

void app_names_close(struct app *a)
{
	names_free(take_ptr(a->names));
}
