/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the names in a running nginx's configuration stand for now: W5_REC_NAME records. nginx
 * resolves them once, when it reads its configuration; why502 looks again when it finds the
 * gateway and when a connect of it has failed, as that process would: its own /etc/hosts, the name
 * servers of its own resolv.conf, asked from its network namespace. Nothing of the gateway's file
 * system is run, nothing blocks: answers are taken when names_poll() is called.
 */
#ifndef SOURCE_NAMES_H
#define SOURCE_NAMES_H

#include <stdint.h>

#include "w5_abi.h"

struct names;
typedef void (*names_record_fn)(void *self, const struct w5_hdr *rec);

int names_new(struct names **out, names_record_fn on_record, void *self);
void names_free(struct names *n); /* NULL is fine */
/* Every record that passes by: gateways found, connects that failed. NULL is fine. */
void names_see(struct names *n, const struct w5_hdr *rec);
void names_poll(struct names *n, uint64_t now_ns);

#endif
