package parse

// construct is one thing that the language can say: the script, how it is printed ("": as it
// is written), and its tree.
type construct struct{ script, printed, tree string }

var constructs = []construct{
	// Options.
	{"--mtu=1500", "",
		`Options:[Option{Name:"mtu" Set Value:"1500"}]`},
	{"--send_omit_free", "",
		`Options:[Option{Name:"send_omit_free"}]`},
	{"--local_ip=fd3d:0a0b:17d6::1", "",
		`Options:[Option{Name:"local_ip" Set Value:"fd3d:0a0b:17d6::1"}]`},
	{"--local_ip=192.168.0.1 --tolerance_usecs = -5", `--local_ip=192.168.0.1
--tolerance_usecs=-5`,
		`Options:[Option{Name:"local_ip" Set Value:"192.168.0.1"} Option{Name:"tolerance_usecs" Set Value:"-5"}]`},
	{`--name="a b"`, "",
		`Options:[Option{Name:"name" Set Value:"a b" Quote:34}]`},
	{`--define=PROTO=IPPROTO_TCP --define=N=-7 --define=CC="reno" 0 f(PROTO, N, CC) = 0`, `--define=PROTO=IPPROTO_TCP
--define=N=-7
--define=CC="reno"
0 f(PROTO, N, CC) = 0`,
		`Options:[Option{Name:"define" Set Value:"IPPROTO_TCP" Symbol:"PROTO"} Option{Name:"define" Set Value:"-7" Symbol:"N"} Option{Name:"define" Set Value:"reno" Quote:34 Symbol:"CC"}] Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Symbol{Name:"PROTO" Value:Symbol{Name:"IPPROTO_TCP"}} Symbol{Name:"N" Value:Int{Value:-7}} Symbol{Name:"CC" Value:String{Value:"reno"}}] Result:Int{}}}]`},
	{"--define=CLEAN=`rm x` CLEAN 0 CLEAN", "--define=CLEAN=`rm x`\nCLEAN\n0 CLEAN",
		`Options:[Option{Name:"define" Set Value:"rm x" Quote:96 Symbol:"CLEAN"}] Events:[Event{Command:Command{Text:"rm x" Symbol:"CLEAN"}} Event{Time:Time{Kind:1} Command:Command{Text:"rm x" Symbol:"CLEAN"}}]`},
	{"--define=COOKIE=00ff --define=MSS=1460 0 < S 0:0(0) <mss MSS,FO COOKIE,eol,eol,eol,eol>", `--define=COOKIE=00ff
--define=MSS=1460
0 < S 0:0(0) <mss 1460,FO 00ff,eol,eol,eol,eol>`,
		`Options:[Option{Name:"define" Set Value:"00ff" Symbol:"COOKIE"} Option{Name:"define" Set Value:"1460" Symbol:"MSS"}] Events:[Event{Time:Time{Kind:1} Packet:Packet{TCP:TCP{Flags:"S" Options:[TCPOption{Kind:mss Value:1460} TCPOption{Kind:FO Data:[0 255]} TCPOption{Kind:eol} TCPOption{Kind:eol} TCPOption{Kind:eol} TCPOption{Kind:eol}]}}}]`},
	// Comments and the ends of lines.
	{"// one\n/* two\n*/\n  # no directive, a comment\n\n# three\n0 `x` // four", "0 `x`",
		`Events:[Event{Time:Time{Kind:1} Command:Command{Text:"x"}}]`},
	{"#ifdef FreeBSD\n--mtu=1 \n0 `a`\n#endif\n#ifdef Linux // for Linux\n0 `b`\n#endif\n0 `c`", "#ifdef freebsd\n--mtu=1\n0 `a`\n#endif\n#ifdef linux\n0 `b`\n#endif\n0 `c`",
		`Options:[Option{Only:"freebsd" Name:"mtu" Set Value:"1"}] Events:[Event{Time:Time{Kind:1} Only:"freebsd" Command:Command{Text:"a"}} Event{Time:Time{Kind:1} Only:"linux" Command:Command{Text:"b"}} Event{Time:Time{Kind:1} Command:Command{Text:"c"}}]`},
	{"0 > S \\\n  0:0(0)", "0 > S 0:0(0)",
		`Events:[Event{Time:Time{Kind:1} Packet:Packet{Direction:1 TCP:TCP{Flags:"S"}}}]`},
	// Times.
	{"1.5 `x`", "",
		`Events:[Event{Time:Time{Kind:1 Start:1.5s} Command:Command{Text:"x"}}]`},
	{"+.25 `x`", "+0.25 `x`",
		`Events:[Event{Time:Time{Kind:2 Start:250ms} Command:Command{Text:"x"}}]`},
	{"+0.000000001 `x`", "",
		`Events:[Event{Time:Time{Kind:2 Start:1ns} Command:Command{Text:"x"}}]`},
	{"* > . 1:1(0) ack 1", "",
		`Events:[Event{Time:Time{Kind:3} Packet:Packet{Direction:1 TCP:TCP{Flags:"." Seq:Seq{Start:1 End:1} Ack:1}}}]`},
	{".1~.2 > . 1:1(0) ack 1", "0.1~0.2 > . 1:1(0) ack 1",
		`Events:[Event{Time:Time{Kind:4 Start:100ms End:200ms} Packet:Packet{Direction:1 TCP:TCP{Flags:"." Seq:Seq{Start:1 End:1} Ack:1}}}]`},
	{"+1~+2.5 > . 1:1(0) ack 1", "",
		`Events:[Event{Time:Time{Kind:5 Start:1s End:2.5s} Packet:Packet{Direction:1 TCP:TCP{Flags:"." Seq:Seq{Start:1 End:1} Ack:1}}}]`},
	{"0...0.2 read(3, ..., 100) = 100", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Blocking End:200ms Name:"read" Args:[Int{Value:3} Ellipsis{} Int{Value:100}] Result:Int{Value:100}}}]`},
	{"+.1...0.25 accept(3, ..., ...) = 4", "+0.1...0.25 accept(3, ..., ...) = 4",
		`Events:[Event{Time:Time{Kind:2 Start:100ms} Syscall:Syscall{Blocking End:250ms Name:"accept" Args:[Int{Value:3} Ellipsis{} Ellipsis{}] Result:Int{Value:4}}}]`},
	{"`first` 0 `second` `last`", "`first`\n0 `second`\n`last`",
		`Events:[Event{Command:Command{Text:"first"}} Event{Time:Time{Kind:1} Command:Command{Text:"second"}} Event{Command:Command{Text:"last"}}]`},
	// Commands and code.
	{"0 `tc qdisc\n  add \\`x\\``", "",
		"Events:[Event{Time:Time{Kind:1} Command:Command{Text:\"tc qdisc\\n  add \\\\`x\\\\`\"}}]"},
	{`0 %{ assert a == 1, "}" }%`, "",
		`Events:[Event{Time:Time{Kind:1} Code:Code{Text:"assert a == 1, \"}\""}}]`},
	{`0 %{
  assert a
}%`, `0 %{ 
  assert a
 }%`,
		`Events:[Event{Time:Time{Kind:1} Code:Code{Text:"\n  assert a\n"}}]`},
	// System calls.
	{"0 close(3) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"close" Args:[Int{Value:3}] Result:Int{}}}]`},
	{"0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"connect" Args:[Int{Value:3} Ellipsis{} Ellipsis{}] Result:Int{Value:-1} Errno:"EINPROGRESS" Note:"Operation now in progress"}}]`},
	{"0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR|O_NONBLOCK (see man))", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"fcntl" Args:[Int{Value:3} Symbol{Name:"F_GETFL"}] Result:Int{Value:2 Hex} Note:"flags O_RDWR|O_NONBLOCK (see man)"}}]`},
	{`0 connect(3, ..., ...) = -1 // EINPROGRESS
+0 f() = 1
* > . 1:1(0)`, `0 connect(3, ..., ...) = -1
+0 f() = 1
* > . 1:1(0)`,
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"connect" Args:[Int{Value:3} Ellipsis{} Ellipsis{}] Result:Int{Value:-1}}} Event{Time:Time{Kind:2} Syscall:Syscall{Name:"f" Result:Int{Value:1}}} Event{Time:Time{Kind:3} Packet:Packet{Direction:1 TCP:TCP{Flags:"." Seq:Seq{Start:1 End:1}}}}]`},
	{"0 f() = -1 EPIPE\n+0 g() = -1 EAGAIN (again)", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Result:Int{Value:-1} Errno:"EPIPE"}} Event{Time:Time{Kind:2} Syscall:Syscall{Name:"g" Result:Int{Value:-1} Errno:"EAGAIN" Note:"again"}}]`},
	{"0 f() = A|B (note)", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Result:Binary{Op:"|" X:Symbol{Name:"A"} Y:Symbol{Name:"B"}} Note:"note"}}]`},
	{"0 f() = htons(80)", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Result:Call{Name:"htons" Args:[Int{Value:80}]}}}]`},
	{"0 poll([], 0, 0) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"poll" Args:[List{} Int{} Int{}] Result:Int{}}}]`},
	// Expressions.
	{"0 f(1, -1, 0x1f, -0x1f, 10UL, 0xffffffffffffffff, 007, 1.5, -.5, NULL, ...) = 0", "0 f(1, -1, 0x1f, -0x1f, 10, 0xffffffffffffffff, 7, 1.5, -0.5, NULL, ...) = 0",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Int{Value:1} Int{Value:-1} Int{Value:31 Hex} Unary{Op:"-" X:Int{Value:31 Hex}} Int{Value:10} Int{Value:-1 Hex} Int{Value:7} Float{Value:1.5} Float{Value:-0.5} Symbol{Name:"NULL"} Ellipsis{}] Result:Int{}}}]`},
	{`0 f("a\n\x41\101\"\\\q", "ab" "cd", "abc"..., "\xff") = 0`, `0 f("a\nAA\"\\q", "abcd", "abc"..., "\xff") = 0`,
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[String{Value:"a\nAA\"\\q"} String{Value:"abcd"} String{Value:"abc" Open} String{Value:"\xff"}] Result:Int{}}}]`},
	{"0 f(O_RDWR | O_NONBLOCK|~X, a = 1 + 2*3 - 4/5%6<<1>>2 & 7 ^ 8, !x) = 0", "0 f(O_RDWR|O_NONBLOCK|~X, a=1 + 2 * 3 - 4 / 5 % 6 << 1 >> 2 & 7 ^ 8, !x) = 0",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Binary{Op:"|" X:Binary{Op:"|" X:Symbol{Name:"O_RDWR"} Y:Symbol{Name:"O_NONBLOCK"}} Y:Unary{Op:"~" X:Symbol{Name:"X"}}} Binary{Op:"=" X:Symbol{Name:"a"} Y:Binary{Op:"^" X:Binary{Op:"&" X:Binary{Op:">>" X:Binary{Op:"<<" X:Binary{Op:"-" X:Binary{Op:"+" X:Int{Value:1} Y:Binary{Op:"*" X:Int{Value:2} Y:Int{Value:3}}} Y:Binary{Op:"%" X:Binary{Op:"/" X:Int{Value:4} Y:Int{Value:5}} Y:Int{Value:6}}} Y:Int{Value:1}} Y:Int{Value:2}} Y:Int{Value:7}} Y:Int{Value:8}}} Unary{Op:"!" X:Symbol{Name:"x"}}] Result:Int{}}}]`},
	{"0 f(- -5, -~1, - -x, - -0, - - -1.5) = 0", "0 f(5, -~1, - -x, 0, -1.5) = 0",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Int{Value:5} Unary{Op:"-" X:Unary{Op:"~" X:Int{Value:1}}} Unary{Op:"-" X:Unary{Op:"-" X:Symbol{Name:"x"}}} Int{} Float{Value:-1.5}] Result:Int{}}}]`},
	{"0 f((1), (int) x, (struct sockaddr *)y, (a)|b, sizeof(x)) = 0", "0 f((1), (int)x, (struct sockaddr *)y, (a)|b, sizeof(x)) = 0",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Paren{X:Int{Value:1}} Cast{Type:"int" X:Symbol{Name:"x"}} Cast{Type:"struct sockaddr *" X:Symbol{Name:"y"}} Binary{Op:"|" X:Paren{X:Symbol{Name:"a"}} Y:Symbol{Name:"b"}} Call{Name:"sizeof" Args:[Symbol{Name:"x"}]}] Result:Int{}}}]`},
	{"0 f([], [1, [2]], {}, {..., 1000}) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[List{} List{Elems:[Int{Value:1} List{Elems:[Int{Value:2}]}]} Struct{} Struct{Fields:[Field{Value:Ellipsis{}} Field{Value:Int{Value:1000}}]}] Result:Int{}}}]`},
	{"0 poll([{fd=4, events=POLLIN|POLLOUT, revents=0}], 1, 100) = 1", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"poll" Args:[List{Elems:[Struct{Fields:[Field{Name:"fd" Value:Int{Value:4}} Field{Name:"events" Value:Binary{Op:"|" X:Symbol{Name:"POLLIN"} Y:Symbol{Name:"POLLOUT"}}} Field{Name:"revents" Value:Int{}}]}]} Int{Value:1} Int{Value:100}] Result:Int{Value:1}}}]`},
	{"0 epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=0x10}) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"epoll_ctl" Args:[Int{Value:3} Symbol{Name:"EPOLL_CTL_ADD"} Int{Value:4} Struct{Fields:[Field{Name:"events" Value:Symbol{Name:"EPOLLIN"}} Field{Name:"u64" Value:Int{Value:16 Hex}}]}] Result:Int{}}}]`},
	{`0 connect(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}, 16) = 0`, `0 connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")}, 16) = 0`,
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"connect" Args:[Int{Value:3} Struct{Fields:[Field{Name:"sa_family" Value:Symbol{Name:"AF_INET"}} Field{Name:"sin_port" Value:Call{Name:"htons" Args:[Int{Value:8080}]}} Field{Name:"sin_addr" Value:Call{Name:"inet_addr" Args:[String{Value:"192.0.2.1"}]}}]} Int{Value:16}] Result:Int{}}}]`},
	{"0 recvmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 0}, {iov_base=..., iov_len=10}], msg_control(48)=[{cmsg_len=48, cmsg_level=SOL_IP, cmsg_type=IP_TOS, cmsg_data=[0x2]}], msg_flags=MSG_ERRQUEUE}, 0) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"recvmsg" Args:[Int{Value:3} Struct{Fields:[Field{Name:"msg_name" Count:Ellipsis{} Value:Ellipsis{}} Field{Name:"msg_iov" Count:Int{Value:2} Value:List{Elems:[Struct{Fields:[Field{Value:Ellipsis{}} Field{Value:Int{}}]} Struct{Fields:[Field{Name:"iov_base" Value:Ellipsis{}} Field{Name:"iov_len" Value:Int{Value:10}}]}]}} Field{Name:"msg_control" Count:Int{Value:48} Value:List{Elems:[Struct{Fields:[Field{Name:"cmsg_len" Value:Int{Value:48}} Field{Name:"cmsg_level" Value:Symbol{Name:"SOL_IP"}} Field{Name:"cmsg_type" Value:Symbol{Name:"IP_TOS"}} Field{Name:"cmsg_data" Value:List{Elems:[Int{Value:2 Hex}]}}]}]}} Field{Name:"msg_flags" Value:Symbol{Name:"MSG_ERRQUEUE"}}]} Int{}] Result:Int{}}}]`},
	{"0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=...}, 8) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"setsockopt" Args:[Int{Value:3} Symbol{Name:"SOL_SOCKET"} Symbol{Name:"SO_LINGER"} Struct{Fields:[Field{Name:"onoff" Value:Int{Value:1}} Field{Name:"linger" Value:Ellipsis{}}]} Int{Value:8}] Result:Int{}}}]`},
	{"0 sendfile(3, 4, 0, 5, {headers(1)=[{..., 1}], trailers(0)=[]}, ..., 0) = 6", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"sendfile" Args:[Int{Value:3} Int{Value:4} Int{} Int{Value:5} Struct{Fields:[Field{Name:"headers" Count:Int{Value:1} Value:List{Elems:[Struct{Fields:[Field{Value:Ellipsis{}} Field{Value:Int{Value:1}}]}]}} Field{Name:"trailers" Count:Int{} Value:List{}}]} Ellipsis{} Int{}] Result:Int{Value:6}}}]`},
	{"0 setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, {enable=1, psk=...}, 20) = 0", "",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"setsockopt" Args:[Int{Value:3} Symbol{Name:"IPPROTO_TCP"} Symbol{Name:"TCP_FASTOPEN"} Struct{Fields:[Field{Name:"enable" Value:Int{Value:1}} Field{Name:"psk" Value:Ellipsis{}}]} Int{Value:20}] Result:Int{}}}]`},
	{"0 f({(label 1, tc 2, [S], ttl 3) (label 4, tc 5, ttl 6)}, {flags [none], sum 0, off 0, key = 1, seq 2}) = 0", "0 f({( label 1 , tc 2 , [ S ] , ttl 3 ) ( label 4 , tc 5 , ttl 6 )}, {flags [ none ] , sum 0 , off 0 , key = 1 , seq 2}) = 0",
		`Events:[Event{Time:Time{Kind:1} Syscall:Syscall{Name:"f" Args:[Struct{Fields:[Field{Value:Raw{Text:"( label 1 , tc 2 , [ S ] , ttl 3 ) ( label 4 , tc 5 , ttl 6 )"}}]} Struct{Fields:[Field{Value:Raw{Text:"flags [ none ] , sum 0 , off 0 , key = 1 , seq 2"}}]}] Result:Int{}}}]`},
}
