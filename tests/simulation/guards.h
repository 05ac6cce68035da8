#pragma once

namespace tandem::simulation {

/// The guards that keep promises. A simulation can leave one out, by its own doing and not the
/// product's, to see that it notices.
struct Guards {
  bool least = true;         ///< a promotion says how far the copy goes at least
  bool lease_epoch = true;   ///< a lease is granted for an epoch
  bool deposal = true;       ///< a server that was deposed takes no lease in that epoch
  bool drain = true;         ///< a demotion waits for backups
  bool other_active = true;  ///< a look at others' words before a lease is granted
  bool in_sync = true;       ///< agents know which copies were in sync
  bool comparison = true;    ///< agents know how far others' copies go
  bool round_trip = true;    ///< agents ask corosync, not only what the controller remembers
  bool health = true;        ///< a server says that its disk does not answer, or fails
  bool damage = true;        ///< a damaged copy is not promoted
  bool sync_first = true;    ///< what is durable is synced before it is acknowledged
  bool patience = true;      ///< a server whose disk hangs says that it is busy
  bool bans = true;          ///< a copy that must not be promoted has a ban, instead of no score
};

}  // namespace tandem::simulation
