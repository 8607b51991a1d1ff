/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files in a directory of the test's. */
#ifndef TESTS_UNIT_PCAP_FILES_H
#define TESTS_UNIT_PCAP_FILES_H

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "sample.h"

static char dir[] = "/tmp/why502-test-XXXXXX";

static inline const char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline size_t files_in_dir(void)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static inline int setup(void **state)
{
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	*state = sample_finding();
	return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	char cmd[PATH_MAX];

	finding_unref(*state);
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

#endif
