/* SPDX-License-Identifier: BSD-2-Clause */
/* Link headers: where the IP header is. Pure; bytes are untrusted. */
#ifndef SOURCE_CAPTURE_LINK_H
#define SOURCE_CAPTURE_LINK_H

#include <stddef.h>
#include <stdint.h>

/* Offset of the IP header; -EPROTONOSUPPORT (no IP, or a link type we do not read), -ENODATA (cut). */
int capture_link_ip(int dlt, const uint8_t *data, size_t cap);
/* Can this link type be read? */
int capture_link_known(int dlt);

#endif
