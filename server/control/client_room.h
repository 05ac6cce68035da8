#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>

namespace tandem::control {

class ClientRoom;

/// A client in a room. It waits for its client from the start: for the rest of a request, the next
/// one, or that an answer is taken.
class RoomClient : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~RoomClient() = default;
  /// Ends the connection, and leaves the room.
  virtual void close() = 0;
};

/// The clients of a small server on one thread, so many at most. Nobody keeps others out by doing
/// nothing: for a new one the client goes that has let the server wait for longest since its last
/// answer. One whose command the server has yet to answer stays. Outlives its clients.
class ClientRoom {
 public:
  explicit ClientRoom(std::size_t places) : places_(places) {}

  /// False if all places are taken by clients that wait for the server.
  bool make_room() {
    if (waiting_.size() + working_.size() < places_) return true;
    if (waiting_.empty()) return false;
    waiting_.front().close();
    return true;
  }
  /// A client that came, or got its answer: its turn to do something. Bytes of a request do not
  /// count, or one byte now and then would hold a place.
  void waits(RoomClient& client) { move_to(waiting_, client); }
  /// Has made a request that is being worked at.
  void works(RoomClient& client) { move_to(working_, client); }

  /// Closes all.
  void clear() {
    while (!waiting_.empty()) waiting_.front().close();
    while (!working_.empty()) working_.front().close();
  }

 private:
  using List = boost::intrusive::list<RoomClient, boost::intrusive::constant_time_size<false>>;
  static void move_to(List& list, RoomClient& client) {
    if (client.is_linked()) client.unlink();
    list.push_back(client);
  }

  const std::size_t places_;
  List waiting_;  ///< the longest first
  List working_;
};

}  // namespace tandem::control
