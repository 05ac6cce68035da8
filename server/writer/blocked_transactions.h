#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/row.h"
#include "server/writer/client_port.h"

namespace tandem {

/// The transactions of one database that are in a "wait". Each is found by its session and id, and
/// by its deadline; it becomes due, to be tried again, when a commit touches one of its tables. So
/// a commit costs nothing for those who wait for something else. Owned by the writer.
class BlockedTransactions {
 public:
  /// Takes a transaction that has just been tried. Requires that none of its session has its id.
  void add(std::unique_ptr<TransactCall> call);
  bool contains(SessionId session, const JsonId& id) const;
  /// Null when there is none.
  std::unique_ptr<TransactCall> take(SessionId session, const JsonId& id);
  /// All, in no order.
  std::vector<std::unique_ptr<TransactCall>> take_all();
  /// The session is gone.
  void drop(SessionId session);

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// Those of a session, and the bytes of their requests.
  WaitLimits used_by(SessionId session) const;
  /// When the next transaction becomes due by time; nothing: none will.
  std::optional<std::int64_t> next_deadline_ms() const;

  /// Make transactions due: those that wait for a table that was changed, those whose time is over,
  /// or all of them.
  void mark_touched(const std::vector<RowChange>& changes);
  void mark_overdue(std::int64_t now_ms);
  void mark_all();
  /// Takes out the next transaction that is due; null if none is.
  std::unique_ptr<TransactCall> take_due();

 private:
  struct Entry;
  /// An entry's place among those that wait for a table, or among those that are due.
  struct Place : boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    explicit Place(Entry& owner) : entry(&owner) {}
    Entry* entry;
  };
  using Places = boost::intrusive::list<Place, boost::intrusive::constant_time_size<false>>;
  using Key = std::pair<SessionId, std::string>;  ///< the id as text
  using Deadlines = std::multimap<std::int64_t, Entry*>;
  struct Entry {
    std::unique_ptr<TransactCall> call;
    std::deque<Place> places;  ///< one a table
    std::optional<Deadlines::iterator> deadline;
  };
  using Entries = std::map<Key, Entry>;

  std::unique_ptr<TransactCall> remove(Entries::iterator entry);

  std::map<TableIndex, Places> by_table_;  ///< in the order in which they were tried
  Places due_;
  Deadlines deadlines_;
  std::unordered_map<SessionId, WaitLimits> used_;
  Entries entries_;  ///< last, so that entries are destroyed before the lists that link them
};

}  // namespace tandem
