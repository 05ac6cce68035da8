// TLS as clients see it: tls_context and tls_stream under real connections, one side each.

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "server/net/client_connection.h"
#include "server/net/remote_manager.h"
#include "server/net/tls_context.h"
#include "tests/unit/server/net/net_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

namespace {

void run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) FAIL("failed: " << command);
}

/// A CA, and certificates of it and of its own. Made once: keys take time.
struct Certificates {
  Certificates() {
    make_self_signed("ca", "test CA");
    make_self_signed("stranger", "stranger");
    for (const char* name : {"server", "client"}) {
      run(
          fmt::format("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
                      "{0}.key -out {0}.csr "
                      "-subj /CN={1}-id",
                      folder / name, name));
      run(
          fmt::format("openssl x509 -req -in {0}.csr -CA {1}.pem -CAkey {1}.key -CAcreateserial "
                      "-days 2 -out {0}.pem",
                      folder / name, folder / "ca"));
    }
  }
  void make_self_signed(const std::string& name, const std::string& subject) {
    run(
        fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
                    "{0}.key -out {0}.pem "
                    "-days 2 -subj '/CN={1}'",
                    folder / name, subject));
  }
  TlsConfig config(const std::string& name) const {
    TlsConfig config;
    config.private_key = folder / name + ".key";
    config.certificate = folder / name + ".pem";
    config.ca_cert = folder / "ca.pem";
    return config;
  }
  TempFolder folder;
};

const Certificates& certificates() {
  static const Certificates made;
  return made;
}

/// A listener with TLS and a client with TLS in one thread.
struct Fixture {
  explicit Fixture(const TlsConfig& server_config, const TlsConfig& client_config,
                   const std::string& listen = "pssl:0:127.0.0.1")
      : manager(shard, {&shard}, server_tls, recorder(server)) {
    server_tls.configure(server_config);
    client_tls.configure(client_config);
    manager.configure({RemoteSpec{Target::parse(listen).value(), {}}});
    port = static_cast<std::uint16_t>(std::stoi(manager.statuses().at(0).values.at("bound_port")));
  }
  ~Fixture() {
    bool done = client_connection == nullptr;
    if (!done) client_connection->stop("test over", [&done] { done = true; });
    serve_until(shard, [&] { return done; });
    done = false;
    manager.shut_down("test over", [&done] { done = true; });
    serve_until(shard, [&] { return done; });
  }
  void connect() {
    ClientOptions options;
    options.targets = {Target::parse(fmt::format("ssl:127.0.0.1:{}", port)).value()};
    options.make_handler = recorder(client);
    client_connection = std::make_unique<ClientConnection>(shard, &client_tls, std::move(options));
    client_connection->start();
  }
  bool both_open() {
    return serve_until(shard, [&] { return server.port != nullptr && client.port != nullptr; });
  }
  bool client_failed() {
    return serve_until(shard, [&] { return !client_connection->status().last_error.empty(); });
  }

  IoShard shard{0};
  TlsContext server_tls;
  TlsContext client_tls;
  Seen server;
  Seen client;
  RemoteManager manager;
  std::unique_ptr<ClientConnection> client_connection;
  std::uint16_t port = 0;
};

/// Runs a shell command beside the shard, and returns what it printed.
std::string run_beside(IoShard& shard, const std::string& command) {
  const TempFolder folder;
  const std::string out = folder / "out";
  const int started = std::system(
      fmt::format("( ( {} ) >{} 2>&1 </dev/null; echo done >>{} ) &", command, out, out).c_str());
  if (started != 0) return {};
  serve_until(shard, [&] { return read_file(out).ends_with("done\n"); });
  return read_file(out);
}

}  // namespace

TEST_CASE("Both ends of a TLS connection talk, and know each other's name") {
  LogCapture log;
  Fixture f(certificates().config("server"), certificates().config("client"));
  f.connect();
  REQUIRE(f.both_open());
  CHECK(f.server.port->info().peer_id == "client-id");
  CHECK(f.client.port->info().peer_id == "server-id");
  CHECK(f.server.port->info().name.starts_with("ssl:127.0.0.1:"));
  f.server.port->send(make_request("hello", "[]", JsonId(1)));
  f.client.port->send(make_request("hi", "[]", JsonId(1)));
  REQUIRE(serve_until(
      f.shard, [&] { return f.server.messages.size() == 1 && f.client.messages.size() == 1; }));
  CHECK(log.count("|WARN|") == 0);
}

TEST_CASE("Long answers cross TLS whole, and a slow reader is bounded") {
  Fixture f(certificates().config("server"), certificates().config("client"));
  f.connect();
  REQUIRE(f.both_open());
  std::string params = "[\"";
  params += std::string(5'000'000, 'x');
  params += "\"]";
  for (int i = 0; i < 4; ++i) {
    f.server.port->send(make_notification("small", "[1]"));
    f.server.port->send(make_notification("big", params));
  }
  REQUIRE(serve_until(f.shard, [&] { return f.client.messages.size() == 8; }));
  CHECK(f.client.messages[7].params[0].get_string().size() == 5'000'000);
  CHECK(f.server.writable > 0);
}

TEST_CASE("Clients without a certificate of the CA are refused, and only stream_ssl warns") {
  LogCapture log;
  TlsConfig stranger = certificates().config("stranger");
  Fixture f(certificates().config("server"), stranger);
  f.connect();
  REQUIRE(f.client_failed());
  REQUIRE(serve_until(f.shard, [&] { return !f.manager.statuses()[0].is_connected; }));
  CHECK(f.server.made == 0);
  CHECK(log.count("|WARN|") > 0);
  CHECK(log.count("|WARN|") == log.count("stream_ssl|WARN|"));
}

TEST_CASE("Without verification any client may come") {
  TlsConfig open = certificates().config("server");
  open.ca_cert = "none";
  Fixture f(open, certificates().config("stranger"));
  f.connect();
  REQUIRE(f.both_open());
  CHECK(f.server.port->info().peer_id.empty());
}

TEST_CASE("Without keys a listener listens, warns of nothing, and handshakes fail") {
  LogCapture log;
  Fixture f(TlsConfig{}, certificates().config("client"));
  CHECK(log.count("|WARN|") == 0);
  f.connect();
  CHECK(f.client_failed());
  CHECK(f.server.made == 0);
}

TEST_CASE("Keys that appear or change are used by the next connection") {
  const TempFolder folder;
  TlsConfig config;
  config.private_key = folder / "key";
  config.certificate = folder / "cert";
  config.ca_cert = certificates().config("server").ca_cert;
  LogCapture log;
  Fixture f(config, certificates().config("client"));
  CHECK(log.count("stream_ssl|WARN|") == 2);
  std::filesystem::copy_file(certificates().config("server").private_key, config.private_key);
  std::filesystem::copy_file(certificates().config("server").certificate, config.certificate);
  serve_for(f.shard, 1050);
  f.connect();
  REQUIRE(f.both_open());
  CHECK(f.client.port->info().peer_id == "server-id");
}

TEST_CASE("What is no file of keys is neither waited for nor read for long") {
  TempFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string large = folder / "large";
  run("truncate -s 1G " + large);
  for (const std::string& file :
       {pipe, large, std::string("/dev/zero"), std::string("/proc/kmsg")}) {
    INFO(file);
    TlsContext tls;
    tls.configure({file, file, file, false, file, "", "", ""});
    CHECK(tls.config().private_key == file);
  }
}

TEST_CASE("A file of keys that cannot be used is told of until it can") {
  const TempFolder folder;
  TlsConfig config = certificates().config("server");
  const std::string key = config.private_key;
  config.private_key = folder / "key";
  LogCapture log;
  TlsContext tls;
  tls.look();
  CHECK(tls.files().empty());
  tls.configure(config);
  REQUIRE(tls.files().size() == 3);
  CHECK(tls.files()[0].problem.empty());
  CHECK(tls.files()[1].option() == "private-key");
  CHECK(tls.files()[1].path == config.private_key);
  CHECK(tls.files()[1].problem == "No such file or directory");
  CHECK(log.count("stream_ssl|WARN|failed to load private key from " + config.private_key +
                  ": No such file or directory") == 1);
  std::filesystem::copy_file(certificates().config("client").private_key, config.private_key);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));  // between two looks
  tls.look();
  CHECK(tls.files()[1].problem == "key values mismatch");
  std::filesystem::copy_file(key, config.private_key,
                             std::filesystem::copy_options::overwrite_existing);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  tls.look();
  CHECK(tls.files()[1].problem.empty());
  CHECK(log.count("stream_ssl|WARN|") == 2);
  CHECK(log.count("stream_ssl|INFO|loaded private key from " + config.private_key) == 1);
}

TEST_CASE("A file without certificates is of no use as one of authorities") {
  TlsConfig config = certificates().config("server");
  config.ca_cert = config.peer_ca_cert = config.private_key;
  TlsContext tls;
  tls.configure(config);
  REQUIRE(tls.files().size() == 4);
  CHECK(tls.files()[2].option() == "peer-ca-cert");
  CHECK_FALSE(tls.files()[2].problem.empty());
  CHECK(tls.files()[3].option() == "ca-cert");
  CHECK_FALSE(tls.files()[3].problem.empty());
}

TEST_CASE("The server's list of protocols is kept to") {
  TlsConfig only_new = certificates().config("server");
  only_new.protocols = "TLSv1.3";
  TlsConfig only_old = certificates().config("client");
  only_old.protocols = "TLSv1.2";
  {
    Fixture f(only_new, only_old);
    f.connect();
    CHECK(f.client_failed());
  }
  Fixture f(only_new, certificates().config("client"));
  f.connect();
  CHECK(f.both_open());
}

TEST_CASE("Without a common cipher the client is told so by an alert") {
  TlsConfig narrow = certificates().config("server");
  narrow.protocols = "TLSv1.2";
  narrow.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  Fixture f(narrow, certificates().config("client"));
  const std::string text = run_beside(
      f.shard,
      fmt::format(
          "openssl s_client -connect 127.0.0.1:{} -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
          f.port));
  CHECK(text.find("alert handshake failure") != std::string::npos);
}

TEST_CASE("The server name that a client indicates is in the debug log") {
  LogCapture log;
  Fixture f(certificates().config("server"), certificates().config("client"));
  const TlsConfig keys = certificates().config("client");
  run_beside(
      f.shard,
      fmt::format("openssl s_client -connect 127.0.0.1:{} -servername some.name -cert {} -key {}",
                  f.port, keys.certificate, keys.private_key));
  CHECK(log.count("stream_ssl|DBG|connection indicated server name some.name\n") == 1);
}

TEST_CASE("Clients that leave without goodbye, before or after the handshake, cause no warning") {
  LogCapture log;
  Fixture f(certificates().config("server"), certificates().config("client"));
  { const UniqueFd silent = connect_tcp(f.port); }
  const TlsConfig keys = certificates().config("client");
  // Python leaves out close_notify.
  run_beside(f.shard,
             fmt::format("python3 -c \"import ssl,socket; c=ssl._create_unverified_context(); "
                         "c.load_cert_chain('{}','{}'); "
                         "s=c.wrap_socket(socket.create_connection(('127.0.0.1',{}))); "
                         "s.sendall(b'{{\\\"id\\\":1,\\\"method\\\":\\\"echo\\\",\\\"params\\\":[]}"
                         "}'); s.recv(9); s.close()\"",
                         keys.certificate, keys.private_key, f.port));
  REQUIRE(serve_until(f.shard, [&] {
    return f.server.closed.size() == 1 && !f.manager.statuses()[0].is_connected;
  }));
  CHECK(log.count("|WARN|") == 0);
}

TEST_CASE(
    "A client without the CA's certificate gets it from the first server and verifies the next") {
  LogCapture log;
  const TempFolder folder;
  TlsConfig server = certificates().config("server");
  server.peer_ca_cert = server.ca_cert;
  TlsConfig client = certificates().config("client");
  client.ca_cert = folder / "got.pem";
  client.bootstrap_ca_cert = true;
  Fixture f(server, client);
  f.connect();
  REQUIRE(serve_until(f.shard, [&] { return f.client.port != nullptr; }));
  CHECK(read_file(folder / "got.pem").starts_with("-----BEGIN CERTIFICATE-----"));
  CHECK(log.count("CA certificate obtained from peer") == 1);

  // A stranger's server does not get in any more.
  TlsConfig stranger = certificates().config("stranger");
  stranger.ca_cert = "none";
  Fixture other(stranger, client);
  other.connect();
  CHECK(other.client_failed());
  CHECK(other.client.made == 0);
}

TEST_CASE("Plain text sent to a TLS listener is refused") {
  LogCapture log;
  Fixture f(certificates().config("server"), certificates().config("client"));
  Peer peer(connect_tcp(f.port));
  peer.write(R"({"id":1,"method":"echo","params":[]})");
  REQUIRE(serve_until(f.shard, [&] {
    peer.read();
    return peer.closed();
  }));
  CHECK(log.count("stream_ssl|WARN|") == 2);
  CHECK(log.count("SSL_accept: ") == 1);
  CHECK(log.count("received JSON-RPC data on SSL channel") == 1);
}
