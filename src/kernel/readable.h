/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of each gateway can be read, per kind of leg, and why not: a part of `why502 doctor`.
 * In: the gateways' records, then the probes that are attached. Out: lines of text.
 */
#ifndef KERNEL_READABLE_H
#define KERNEL_READABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "w5_abi.h"

struct kernel_doctor_ops;
struct tls;

struct readable {
	struct w5_gateway *v; /* owned */
	size_t n, cap;
	const struct kernel_doctor_ops *ops;
	bool has_loop; /* this kernel can walk HTTP/2 frames */
};

int readable_add(struct readable *r, const struct w5_gateway *g);
void readable_print(const struct readable *r, const struct tls *tls, FILE *out);
void readable_fini(struct readable *r);

/* One line of the report. */
void doctor_row(FILE *out, const char *mark, const char *what, const char *detail);

#endif
