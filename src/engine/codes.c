/* SPDX-License-Identifier: BSD-2-Clause */
/* See codes.h. */
#include "engine/codes.h"

#include <stdio.h>

#include "base/util.h"

const char *h2_error_name(uint32_t code)
{
	static const char *const names[] = {
		"NO_ERROR",
		"PROTOCOL_ERROR",
		"INTERNAL_ERROR",
		"FLOW_CONTROL_ERROR",
		"SETTINGS_TIMEOUT",
		"STREAM_CLOSED",
		"FRAME_SIZE_ERROR",
		"REFUSED_STREAM",
		"CANCEL",
		"COMPRESSION_ERROR",
		"CONNECT_ERROR",
		"ENHANCE_YOUR_CALM",
		"INADEQUATE_SECURITY",
		"HTTP_1_1_REQUIRED",
	};

	return code < ARRAY_SIZE(names) ? names[code] : NULL;
}

const char *grpc_status_name(unsigned int status)
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	return status < ARRAY_SIZE(names) ? names[status] : NULL;
}

const char *h2_error_text(char out[CODE_TEXT_MAX], uint32_t code)
{
	const char *name = h2_error_name(code);

	if (name)
		snprintf(out, CODE_TEXT_MAX, "%s", name);
	else
		snprintf(out, CODE_TEXT_MAX, "0x%x", code);
	return out;
}

const char *grpc_status_text(char out[CODE_TEXT_MAX], unsigned int status)
{
	const char *name = grpc_status_name(status);

	if (name)
		snprintf(out, CODE_TEXT_MAX, "%s", name);
	else
		snprintf(out, CODE_TEXT_MAX, "%u", status);
	return out;
}

/* Numbers as on all of Linux but alpha, mips, parisc and sparc. */
const char *signal_text(char out[CODE_TEXT_MAX], unsigned int signal)
{
	static const char *const names[] = {
		[1] = "SIGHUP",	  [2] = "SIGINT",   [3] = "SIGQUIT",  [4] = "SIGILL",
		[5] = "SIGTRAP",  [6] = "SIGABRT",  [7] = "SIGBUS",   [8] = "SIGFPE",
		[9] = "SIGKILL",  [10] = "SIGUSR1", [11] = "SIGSEGV", [12] = "SIGUSR2",
		[13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM", [24] = "SIGXCPU",
		[25] = "SIGXFSZ", [31] = "SIGSYS",
	};

	if (signal < ARRAY_SIZE(names) && names[signal])
		snprintf(out, CODE_TEXT_MAX, "%s", names[signal]);
	else
		snprintf(out, CODE_TEXT_MAX, "signal %u", signal);
	return out;
}
