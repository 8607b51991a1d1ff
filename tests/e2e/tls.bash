# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Which TLS libraries are probed, and when: a gateway that starts, reloads, is upgraded, has its library
# deleted under it, lives in another mount namespace, ends. Each nginx here has a copy of libssl
# of its own (LD_LIBRARY_PATH), so that its probes are its own, too. See cases.bash for the form.
# shellcheck disable=SC2154 # work, O, pid_of come from run

# Network, process and mount namespaces of their own, held by a shell whose end takes all that
# was started in them with it.
box_up() {
	box_down
	mkdir -p "$work/box"
	rm -f "$work/box/hold"
	: >"$work/box/out"
	# shellcheck disable=SC2016
	setpriv --pdeathsig KILL unshare --net --pid --mount --fork --kill-child --mount-proc \
		bash -c 'ip link set lo up && mkfifo "$0/hold" && echo ready && read <"$0/hold"' \
		"$work/box" >"$work/box/out" 2>&1 {life}>&- &
	pid_of[box]=$!
	lines "$work/box/out" ready 1 10 "${pid_of[box]}" || { cat "$work/box/out"; return 1; }
	box_pid=$(pgrep -P "${pid_of[box]}")
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=box \
		-keyout "$work/box/key.pem" -out "$work/box/cert.pem" 2>"$work/box/openssl.err"
}

box_down() {
	[ -n "${pid_of[box]:-}" ] || return 0
	kill -KILL "${pid_of[box]}"
	wait "${pid_of[box]}" 2>/dev/null
	unset 'pid_of[box]'
}

# in_box COMMAND...
in_box() { nsenter -t "$box_pid" --net --pid --mount -- "$@" {life}>&-; }

# library_of PROGRAM NAME: the file it would load
library_of() { ldd "$(command -v "$1")" | awk -v n="$2" '$1 ~ n { print $3; exit }'; }

# boxed NAME: an nginx with TLS and a library of its own, not started; sets gw
boxed() {
	gw=$work/box/$1
	mkdir -p "$gw/lib"
	cp -L "$(library_of nginx '^libssl')" "$gw/lib/"
	cat >"$gw/nginx.conf" <<-END
	worker_processes 1;
	pid $gw/pid;
	error_log $gw/error.log;
	env LD_LIBRARY_PATH;
	events {}
	http {
	access_log off;
	client_body_temp_path $gw/body;
	proxy_temp_path $gw/proxy;
	fastcgi_temp_path $gw/fastcgi;
	uwsgi_temp_path $gw/uwsgi;
	scgi_temp_path $gw/scgi;
	server {
		listen 127.0.0.1:8443 ssl;
		ssl_certificate $work/box/cert.pem;
		ssl_certificate_key $work/box/key.pem;
		location / { proxy_pass http://127.0.0.1:9; }
	}
	}
	END
}

# argv[0] is a path: it is what an upgrade executes
boxed_nginx() { # [-s SIGNAL]
	in_box env LD_LIBRARY_PATH="$gw/lib" "$(command -v nginx)" -p "$gw" -c "$gw/nginx.conf" "$@"
}

# listening PORT: wait until somebody does in the box
listening() {
	local i
	for i in $(seq 100); do
		[ -z "$(in_box ss -Hltn "sport = :$1")" ] || return 0
		read -rt 0.05 <> <(:)
	done
	echo "nobody listens on port $1 after 5 s ($i tries)"
	return 1
}

# gone PID: wait until this process of the box has ended
gone() { in_box timeout 5 tail -s 0.05 --pid="$1" -f /dev/null || { echo "$1 is still there"; return 1; }; }

# boxed_get NAME: a request for /NAME, which is answered 502: nothing listens on port 9
boxed_get() {
	local got
	got=$(in_box curl -sk --http1.1 -o /dev/null -w '%{http_code}' "https://127.0.0.1:8443/$1")
	expect "502 from the gateway, not $got" [ "$got" = 502 ]
}

# seen DIR NAME: a finding about /NAME, whose request only the plain text can have told
seen() {
	expect "a finding about /$2" \
		lines "$1/findings.ndjson" "\"target\":\"/$2\".*conn-refused\|conn-refused.*\"target\":\"/$2\"" 1 5 "${pid_of[$1]}"
}

# probes DIR: what this why502 has probed now, in links
probes() {
	grep -lE '^link_type:[[:space:]]*(uprobe_multi|perf)' /proc/"${pid_of[$1]}"/fdinfo/* 2>/dev/null | wc -l
}

# probes_are DIR N: wait until it is so
probes_are() {
	local i
	for i in $(seq 50); do
		[ "$(probes "$1")" != "$2" ] || return 0
		read -rt 0.1 <> <(:)
	done
	echo "$(probes "$1") links of probes after 5 s ($i tries), expected $2"
	return 1
}

# said DIR TEXT: a line of -v
said() { expect "why502 -v says: $2" lines "$1/err" "$2" 1 5 "${pid_of[$1]}" || { cat "$1/err"; return 1; }; }

# One why502 for a life: started, reloaded, upgraded to another libssl, ended.
case_tls_life() {
	local dir=$work/tls-life before old
	box_up || return 1
	why502_start "$dir" -v || return 1
	before=$(probes "$dir")
	boxed life
	boxed_nginx || return 1
	expect 'its library is probed within a second' \
		lines "$dir/err" "TLS in $gw/lib/libssl" 1 1 || { cat "$dir/err"; return 1; }
	boxed_get started || return 1
	seen "$dir" started || return 1

	old=$(in_box pgrep -P "$(cat "$gw/pid")")
	boxed_nginx -s reload || return 1
	gone "$old" || return 1
	boxed_get reloaded || return 1
	seen "$dir" reloaded || return 1

	# Another library, another nginx: the new master inherits the sockets.
	cp "$gw"/lib/libssl.so.* "$work/box/new" && mv "$work/box/new" "$(echo "$gw"/lib/libssl.so.*)"
	old=$(cat "$gw/pid")
	in_box kill -USR2 "$old"
	expect 'both libraries are probed within a second' \
		lines "$dir/err" "TLS in $gw/lib/libssl" 2 1 || { cat "$dir/err"; return 1; }
	in_box kill -QUIT "$old"
	gone "$old" || return 1
	said "$dir" 'probes removed' || return 1
	boxed_get upgraded || return 1
	seen "$dir" upgraded || return 1

	boxed_nginx -s stop || return 1
	probes_are "$dir" "$before" || return 1
	why502_stop "$dir"
	expect 'nothing lost' eval "tail -n 1 '$dir/findings.ndjson' | grep -q '\"lost\":0,'"
}

# The library is deleted while it is in use, as an upgrade of the package does, and only then
# why502 starts.
case_tls_deleted() {
	local dir=$work/tls-deleted
	box_up || return 1
	boxed deleted
	boxed_nginx || return 1
	rm "$gw"/lib/libssl*
	why502_start "$dir" -v || return 1
	boxed_get deleted || return 1
	seen "$dir" deleted || return 1
	boxed_nginx_stop || return 1
	said "$dir" 'probes removed' || return 1
	why502_stop "$dir"
}

boxed_nginx_stop() { in_box kill -TERM "$(cat "$gw/pid")"; }

# As in a container: the library has a path that only the gateway can see.
case_tls_container() {
	local dir=$work/tls-container
	box_up || return 1
	boxed container
	in_box mount -t tmpfs none "$gw/lib" || { echo 'skip: no tmpfs can be mounted'; return 1; }
	in_box cp -L "$(library_of nginx '^libssl')" "$gw/lib/"
	rm -f "$gw"/lib/*
	expect 'the library cannot be seen from here' [ -z "$(ls "$gw/lib")" ] || return 1
	why502_start "$dir" -v || return 1
	boxed_nginx || return 1
	said "$dir" "TLS in $gw/lib/libssl" || return 1
	boxed_get contained || return 1
	seen "$dir" contained || return 1
	"$O/why502" doctor >"$dir/doctor" 2>&1
	expect 'doctor says that TLS is read, and where' \
		grep -q "^read .*TLS .*libssl.*in $gw/lib/libssl" "$dir/doctor" || { cat "$dir/doctor"; return 1; }
	boxed_nginx_stop
	why502_stop "$dir"
}

# Two containers of one image: an overlay each, and below both the same file. Probed twice, it
# would tell everything twice.
case_tls_image() {
	local dir=$work/tls-image image=$work/box/image i
	box_up || return 1
	mkdir -p "$image/rw"
	cp -L "$(library_of nginx '^libssl')" "$image/"
	in_box mount -t tmpfs none "$image/rw" || { echo 'skip: no tmpfs can be mounted'; return 1; }
	mkdir -p "$dir"
	why502_start "$dir" -v -w "$dir/trace.w5" || return 1
	for i in 1 2; do
		boxed "image$i"
		sed -i "s/:8443/:844$i/" "$gw/nginx.conf"
		rm -f "$gw"/lib/*
		in_box mkdir "$image/rw/u$i" "$image/rw/w$i"
		in_box mount -t overlay none "$gw/lib" \
			-o "lowerdir=$image,upperdir=$image/rw/u$i,workdir=$image/rw/w$i" ||
			{ echo 'skip: no overlay can be mounted'; return 1; }
		boxed_nginx || return 1
	done
	said "$dir" "TLS in $work/box/image[12]/lib/libssl" || return 1
	for i in 1 2; do in_box curl -sk -o /dev/null "https://127.0.0.1:844$i/image-$i"; done
	seen "$dir" image-1 && seen "$dir" image-2 || return 1
	why502_stop "$dir"
	expect 'the file is probed once' [ "$(grep -c 'TLS in .*box/image' "$dir/err")" = 1 ] || return 1
	expect 'two findings' [ "$(grep -c '"target":"/image-[12]"' "$dir/findings.ndjson")" = 2 ] || return 1
	"$O/lab-tracecat" "$dir/trace.w5" | grep -a 'GET /image-[12]' >"$dir/texts"
	expect 'each request told once' [ "$(wc -l <"$dir/texts")" = 2 ] || { cat "$dir/texts"; return 1; }
}

# What doctor says of a gateway whose TLS library is linked in and stripped, and of one with HTTP/3.
case_tls_doctor() {
	local dir=$work/tls-doctor
	box_up || return 1
	mkdir -p "$dir"
	[ -x "$O/e2e-tlsgate" ] || { echo 'skip: no static libssl here to build e2e-tlsgate'; return 1; }
	strip -o "$dir/nginx" "$O/e2e-tlsgate"
	in_box "$dir/nginx" 8444 9 "$work/box/cert.pem" "$work/box/key.pem" &
	pid_of[stripped]=$!
	cat >"$dir/Caddyfile" <<-END
	{
		admin off
	}
	https://127.0.0.1:8445 {
		tls $work/box/cert.pem $work/box/key.pem
		reverse_proxy 127.0.0.1:9
	}
	END
	in_box env XDG_DATA_HOME="$dir" XDG_CONFIG_HOME="$dir" caddy run --config "$dir/Caddyfile" \
		--adapter caddyfile >"$dir/caddy.out" 2>&1 &
	pid_of[caddy]=$!
	listening 8444 && listening 8445 || { cat "$dir/caddy.out"; return 1; }
	"$O/why502" doctor >"$dir/doctor" 2>&1
	kill "${pid_of[stripped]}" "${pid_of[caddy]}"
	unset 'pid_of[stripped]' 'pid_of[caddy]'
	expect 'TLS in a stripped program is not readable, why, and what to do' \
		grep -q "^unread .*TLS .*OpenSSL.* in $dir/nginx.*stripped.*--access-log" "$dir/doctor" &&
		expect 'TLS of a Go program is read' grep -q '^read .*TLS .*crypto/tls of go.*probes' "$dir/doctor" &&
		expect 'HTTP/3 is not' grep -q '^unread .*HTTP/3 (UDP 8445).*--access-log' "$dir/doctor" &&
		return
	cat "$dir/doctor"
	return 1
}
