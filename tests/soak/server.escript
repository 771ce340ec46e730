%% A TLS server of Erlang that demands client certificates and checks CRLs: server.escript TRUST_STORE CHAIN KEY CRLS
%% It prints its port, and greets each client.
main([TrustStore, Chain, Key, Crls]) ->
    {ok, _} = application:ensure_all_started(ssl),
    ok = ssl_crl_cache:insert({file, Crls}),
    Options = [{ip, {127, 0, 0, 1}}, {reuseaddr, true}, {active, false}, {certfile, Chain}, {keyfile, Key},
               {cacertfile, TrustStore}, {verify, verify_peer}, {fail_if_no_peer_cert, true}, {depth, 3},
               {crl_check, true}, {crl_cache, {ssl_crl_cache, {internal, []}}}, {versions, ['tlsv1.2']}],
    {ok, Listener} = ssl:listen(0, Options),
    {ok, {_, Port}} = ssl:sockname(Listener),
    io:format("~b~n", [Port]),
    greet(Listener).

greet(Listener) ->
    {ok, Socket} = ssl:transport_accept(Listener),
    case ssl:handshake(Socket, 10000) of
        {ok, Session} ->
            ssl:send(Session, "hello\n"),
            ssl:close(Session);
        {error, _} -> ok
    end,
    greet(Listener).
