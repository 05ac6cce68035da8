#include "server/control/client_room.h"

#include <catch2/catch.hpp>
#include <string>

namespace tandem::control {
namespace {

struct Guest : RoomClient {
  Guest(std::string& to_log, char name) : log(to_log), letter(name) {}
  void close() override {
    unlink();
    log += letter;
  }
  std::string& log;
  char letter;
};

struct Fixture {
  std::string closed;
  ClientRoom room{2};
  Guest a{closed, 'a'};
  Guest b{closed, 'b'};
  Guest c{closed, 'c'};
};

TEST_CASE_METHOD(Fixture, "while there is room nobody has to go") {
  CHECK(room.make_room());
  room.waits(a);
  CHECK(room.make_room());
  CHECK(closed.empty());
}

TEST_CASE_METHOD(Fixture, "the client goes that has done nothing for longest") {
  room.waits(a);
  room.waits(b);
  room.works(a);
  room.waits(a);  // has got an answer since
  CHECK(room.make_room());
  room.waits(c);
  CHECK(closed == "b");
  CHECK(room.make_room());
  CHECK(closed == "ba");
}

TEST_CASE_METHOD(Fixture, "clients whose answer is due stay, and then the new one has no place") {
  room.works(a);
  room.waits(b);
  CHECK(room.make_room());
  CHECK(closed == "b");
  room.works(b);
  CHECK_FALSE(room.make_room());
  room.clear();
  CHECK(closed == "bab");
}

}  // namespace
}  // namespace tandem::control
