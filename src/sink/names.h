/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of kernel facts as sinks print them. Stable: they are part of the output. */
#ifndef SINK_NAMES_H
#define SINK_NAMES_H

#include "w5_abi.h"

const char *end_name(unsigned int end); /* enum w5_end: "fin", "rst", ...; "" for NONE or unknown */
const char *loss_name(unsigned int loss); /* "ring-bulk", ... */
const char *loss_what(unsigned int loss); /* "healthy records, ring under pressure" */
const char *loss_help(unsigned int loss); /* the option that helps */

#endif
