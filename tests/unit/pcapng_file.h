/* SPDX-License-Identifier: BSD-2-Clause */
/* One pcapng file of a finding. */
#ifndef TESTS_UNIT_PCAPNG_FILE_H
#define TESTS_UNIT_PCAPNG_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample.h"
#include "sink/pcapng.h"

static char path[] = "/tmp/why502-test-XXXXXX";

static inline int setup(void **state)
{
	struct finding *f;
	int fd;

	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	fd = mkstemp(path);
	f = sample_finding();
	f->attempts[0].leg.fin_in_ns =
		0; /* its packet was not kept, and would be the deciding one */
	f->attempts[0].flight->p.remote = f->attempts[0].leg.remote;
	f->attempts[0].flight->p.rport = 8080;
	f->flight->p.local = f->down.local;
	f->flight->p.lport = 80;
	*state = f;
	return fd < 0 || close(fd) ? -1 : 0;
}

static inline int teardown(void **state)
{
	finding_unref(*state);
	return unlink(path);
}

#endif
