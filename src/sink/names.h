/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of kernel facts as sinks print them. Stable: they are part of the output. */
#ifndef SINK_NAMES_H
#define SINK_NAMES_H

#include <stddef.h>

#include "w5_abi.h"

const char *end_name(unsigned int end); /* enum w5_end: "fin", "rst", ...; "" for NONE or unknown */
/* ECONNREFUSED; a number the C library has no name for prints as a number. */
size_t errno_name(char *out, size_t cap, unsigned int err);
const char *loss_name(unsigned int loss); /* "ring-bulk", ... */
const char *loss_what(unsigned int loss); /* "healthy records, ring under pressure" */
const char *loss_help(unsigned int loss); /* the option that helps */

#endif
