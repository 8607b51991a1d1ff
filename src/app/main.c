// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>

#include "app/app.h"
#include "app/config.h"
#include "base/log.h"

int main(int argc, char **argv)
{
	struct config config = { .n = 0 };
	struct options opt;
	enum app_exit status;
	struct app app;

	if (options_parse_over(&opt, argc, argv, config_read, &config)) {
		config_fini(&config);
		return APP_EXIT_USAGE;
	}
	if (opt.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	switch (opt.command) {
	case COMMAND_HELP: options_help(stdout); return APP_EXIT_OK;
	case COMMAND_VERSION: printf("why502 %s\n", W5_VERSION); return APP_EXIT_OK;
	case COMMAND_DUMP_CONFIG: config_dump(stdout); return APP_EXIT_OK;
	case COMMAND_DOCTOR: return app_doctor(&opt);
	case COMMAND_WATCH:
	case COMMAND_REPORT: break;
	}
	status = APP_EXIT_FAILURE;
	if (!app_init(&app, &opt, &config.keys))
		status = opt.read_path ? app_replay(&app) : app_live(&app);
	app_fini(&app);
	config_fini(&config);
	return status;
}
