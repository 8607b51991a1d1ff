/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions of the command line: wrong ones are shown with the place that is wrong. */
#ifndef APP_EXPR_H
#define APP_EXPR_H

/* NULL is fine. 0, or -EINVAL after three lines to stderr. */
int expr_check_packets(const char *option, const char *expr); /* pcap-filter(7) */
int expr_check(const char *option, const char *expr);

#endif
