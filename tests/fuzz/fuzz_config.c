/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration file from bytes: taken, or refused with its file and a line that it has. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "sink/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c = { .n = 0 };
	char why[CONFIG_WHY_MAX] = "";
	struct filter *flt = NULL;
	struct options o;
	unsigned line = 0, lines = 1;
	char *text = malloc(size + 1); /* its own, so that one byte too far is seen */
	int err;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	options_default(&o);
	err = config_parse(&c, &o, "f", text, size, why);
	assert(!err || err == -EINVAL);
	assert(!err || (sscanf(why, "f:%u: ", &line) == 1 && line >= 1 && line <= lines));
	assert(c.keys.n <= KEYMAP_MAX);
	for (size_t i = 0; i < c.keys.n; i++)
		assert(c.keys.bind[i].action < ACTION_MAX);
	if (o.filter && !filter_parse(&flt, o.filter, NULL))
		filter_free(flt);
	free(text);
	return 0;
}
