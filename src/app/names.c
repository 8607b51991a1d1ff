// SPDX-License-Identifier: BSD-2-Clause
/* The names in the gateways' configurations, looked up beside the kernel, into the same engine. */
#include <time.h>

#include "app/app.h"
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
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	names_poll(a->names, (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec);
}

void app_names_close(struct app *a)
{
	names_free(take_ptr(a->names));
}
