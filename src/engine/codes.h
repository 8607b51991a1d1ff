/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of HTTP/2, gRPC and signals in words. Sources: RFC 9113 7 (error codes), the gRPC status
 * codes (grpc/doc/statuscodes.md). Static strings; NULL for a number without a name.
 */
#ifndef ENGINE_CODES_H
#define ENGINE_CODES_H

#include <stddef.h>
#include <stdint.h>

enum h2_error {
	H2_NO_ERROR = 0x0,
	H2_PROTOCOL_ERROR = 0x1,
	H2_INTERNAL_ERROR = 0x2,
	H2_REFUSED_STREAM = 0x7,
	H2_CANCEL = 0x8,
	H2_ENHANCE_YOUR_CALM = 0xb,
	H2_HTTP_1_1_REQUIRED = 0xd,
};

const char *h2_error_name(uint32_t code);	   /* "REFUSED_STREAM" */
const char *grpc_status_name(unsigned int status); /* "UNAVAILABLE" */

#define CODE_TEXT_MAX 32
/* The same, or the number where there is no name: "0x1f", "17". Never NULL; returns out. */
const char *h2_error_text(char out[CODE_TEXT_MAX], uint32_t code);
const char *signal_text(char out[CODE_TEXT_MAX], unsigned int signal); /* "SIGKILL" */
const char *grpc_status_text(char out[CODE_TEXT_MAX], unsigned int status);

#endif
