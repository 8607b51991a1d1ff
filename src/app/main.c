// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "app/app.h"
#include "base/log.h"

int main(int argc, char **argv)
{
	struct options opt;
	enum app_exit status;
	struct app app;

	if (options_parse(&opt, argc, argv))
		return APP_EXIT_USAGE;
	if (opt.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	switch (opt.command) {
	case COMMAND_HELP: options_help(stdout); return APP_EXIT_OK;
	case COMMAND_VERSION: printf("why502 %s\n", W5_VERSION); return APP_EXIT_OK;
	case COMMAND_DOCTOR: return app_doctor(&opt);
	case COMMAND_WATCH:
	case COMMAND_REPORT: break;
	}
	status = APP_EXIT_FAILURE;
	if (!app_init(&app, &opt))
		status = opt.read_path ? app_replay(&app) : app_live(&app);
	app_fini(&app);
	return status;
}
