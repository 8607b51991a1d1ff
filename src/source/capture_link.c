/* SPDX-License-Identifier: BSD-2-Clause */
/* See capture_link.h. One row per link type (https://www.tcpdump.org/linktypes.html). */
#include "source/capture_link.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"

#define ETH_IP4	  0x0800
#define ETH_IP6	  0x86dd
#define ETH_PPPOE 0x8864
#define PPP_IP4	  0x0021
#define PPP_IP6	  0x0057
#define VLANS_MAX 4 /* in a row; QinQ has two */

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* An EtherType ends at off: behind VLAN tags and PPPoE there is IP, or there is none. */
static int behind_type(uint16_t type, const uint8_t *p, size_t cap, size_t off)
{
	for (int i = 0; i < VLANS_MAX && is_vlan(type); i++) {
		if (cap < off + 4)
			return -ENODATA;
		type = be16(p + off + 2);
		off += 4;
	}
	if (type == ETH_PPPOE) {
		if (cap < off + 8)
			return -ENODATA;
		type = be16(p + off + 6);
		off += 8;
		return type == PPP_IP4 || type == PPP_IP6 ? (int)off : -EPROTONOSUPPORT;
	}
	return type == ETH_IP4 || type == ETH_IP6 ? (int)off : -EPROTONOSUPPORT;
}

static int of_ethernet(const uint8_t *p, size_t cap)
{
	return cap < 14 ? -ENODATA : behind_type(be16(p + 12), p, cap, 14);
}

static int of_sll(const uint8_t *p, size_t cap)
{
	return cap < 16 ? -ENODATA : behind_type(be16(p + 14), p, cap, 16);
}

static int of_sll2(const uint8_t *p, size_t cap)
{
	return cap < 20 ? -ENODATA : behind_type(be16(p), p, cap, 20);
}

static int of_raw(const uint8_t *p, size_t cap)
{
	(void)p;
	return cap ? 0 : -ENODATA;
}

/* A protocol family in the byte order of the machine that captured: small, so either end has
 * it. The IP header's own version is what counts. */
static int of_null(const uint8_t *p, size_t cap)
{
	if (cap < 5)
		return -ENODATA;
	return p[4] >> 4 == 4 || p[4] >> 4 == 6 ? 4 : -EPROTONOSUPPORT;
}

static const struct link_row {
	int dlt;
	int (*ip)(const uint8_t *p, size_t cap);
} rows[] = {
	{ 1, of_ethernet },		      /* DLT_EN10MB */
	{ 113, of_sll },		      /* DLT_LINUX_SLL */
	{ 276, of_sll2 },		      /* DLT_LINUX_SLL2 */
	{ 12, of_raw },	    { 14, of_raw },   /* DLT_RAW, by system */
	{ 101, of_raw },		      /* LINKTYPE_RAW */
	{ 228, of_raw },    { 229, of_raw },  /* DLT_IPV4, DLT_IPV6 */
	{ 0, of_null },	    { 108, of_null }, /* DLT_NULL, DLT_LOOP */
};

static const struct link_row *row_of(int dlt)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].dlt == dlt)
			return &rows[i];
	}
	return NULL;
}

int capture_link_known(int dlt)
{
	return row_of(dlt) != NULL;
}

int capture_link_ip(int dlt, const uint8_t *data, size_t cap)
{
	const struct link_row *r = row_of(dlt);

	return r ? r->ip(data, cap) : -EPROTONOSUPPORT;
}
