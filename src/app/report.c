// SPDX-License-Identifier: BSD-2-Clause
/* Incident reports: at the end (--report), of a file (why502 report), and while it runs (R). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "base/log.h"
#include "sink/report.h"

/* For a report of its own, and for key R. */
int app_add_report(struct app *a)
{
	const char *slash = a->opt->read_path ? strrchr(a->opt->read_path, '/') : NULL;
	struct report_cfg cfg = { .source = slash ? slash + 1 : a->opt->read_path,
				  .filter = a->filter ? &a->filtered : NULL };
	struct sink s;
	int err = report_new(&s, &cfg);

	if (!err)
		a->report = app_add_sink(a, &s);
	return err;
}

void app_report(struct app *a)
{
	const char *path = a->opt->report_path;
	int err = 0;

	if (!a->report)
		return;
	engine_finish(a->engine);
	if (path)
		err = report_save(a->report, a->engine, path);
	else if (a->opt->output == OUTPUT_REPORT)
		err = report_write(a->report, a->engine, STDOUT_FILENO);
	if (err && path)
		log_error("cannot write the report %s: %s", path, strerror(-err));
	app_sink_result(a, err);
}

int app_save_report(void *self, const char *path, char *msg, size_t msglen)
{
	struct app *a = self;
	int err = report_save(a->report, a->engine, path);

	if (err)
		snprintf(msg, msglen, "cannot write %s: %s", path, strerror(-err));
	else
		snprintf(msg, msglen, "Report written to %s%s", path,
			 report_is_one_file(path) ? "" : ".md and .html");
	return err;
}
