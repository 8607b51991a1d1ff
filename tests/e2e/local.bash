# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the gateway itself is short of: see run. These change the gateway's namespace or its
# processes while they run, so they cannot be part of a mix.
# shellcheck disable=SC2154 # work only comes from run

case_scarce_ports() { # DIR of a running why502
	local truth=$work/scarce-ports.tsv sent=0
	lab scarce ports on || return 1
	send "$truth" -r 0 -n 3 -d 0.3 --mix local-port-exhausted || sent=1
	lab scarce ports off
	[ $sent = 0 ] || return 1
	settle "$1" "$truth"
	judge "$1" "$truth" || return 1
	expect 'the range and what is in use of it' \
		grep -q '"ports":{"first":40000,"last":40003,"sockets":4}' <(of "$1" "$truth")
}

# The clients and what serves them are there before the limit is: then only a socket to the backend
# is too much. An answer that closes its client's connection makes room for the next one.
case_scarce_files() { # DIR of a running why502
	local truth=$work/scarce-files.tsv load n
	rm -f "$truth"
	lab load -o "$truth" -r 0 -n 4 -d 0.3 --mix fd-limit >"$truth.out" &
	load=$!
	for _ in $(seq 100); do
		n=$(lab access | grep -c '/fd-limit/')
		[ "$n" -lt 4 ] || break
		read -rt 0.05 <> <(:) || :
	done
	lab scarce files on
	wait $load
	lab scarce files off
	settle "$1" "$truth"
	judge "$1" "$truth" || return 1
	expect 'findings of fd-limit' grep -q 'seen [1-9]' "$truth.join"
}

case_scarce() { # GATEWAY
	local dir=$work/$1-scarce ports=0 files=0
	gateway_is "$1" || return 1
	why502_start "$dir" || return 1
	case_scarce_ports "$dir" || ports=1
	case_scarce_files "$dir" || files=1
	why502_stop "$dir"
	[ $ports$files = 00 ]
}

# The first failure makes why502 watch connects to local sockets: that one is not explained, those
# from then on are.
case_unix() { # DIR of a running why502
	local first=$work/unix-first.tsv truth=$work/unix.tsv
	send "$first" -r 0 -n 1 -d 0.1 --mix unix-missing || return 1
	settle "$1" "$first"
	expect 'a finding of the first one' grep -q '"status":502' <(of "$1" "$first") || return 1
	expect 'which is not certain' grep -qv '"confidence":"certain"' <(of "$1" "$first") || return 1
	send "$truth" -r 40 -n 3 -d 0.4 --mix unix || return 1
	settle "$1" "$truth"
	judge "$1" "$truth" || return 1
	expect 'the path as upstream' grep -q '"upstream":{"path":"[^"]*missing.sock"}' <(of "$1" "$truth")
}
