// SPDX-License-Identifier: Apache-2.0
// The server's life across processes: loading the journal, filling it, keeping it short.
#include "libxl++/xenstore/server.hpp"

namespace xl::xenstore {

Result<std::unique_ptr<Server>> Server::open(const std::string& directory, Limits limits) {
  auto server = std::make_unique<Server>(limits);
  XL_TRY(server->load(directory + "/xenstore.journal"));
  return server;
}

Result<void> Server::load(const std::string& path) {
  Replay replay(store_);
  auto journal = Journal::open(path, [&](std::string_view batch) { return replay.apply(batch); });
  unclaimed_ = replay.take_guests();
  if (!journal) {
    return Unexpected(std::move(journal).error());
  }
  journal_ = std::move(journal).value();
  store_.recorder().enable();
  if (journal_->damaged()) {
    rewrite_journal();
  }
  return {};
}

void Server::flush() {
  if (journal_ == nullptr) {
    return;
  }
  store_.record_moved();
  Recorder& recorder = store_.recorder();
  if (recorder.batch().empty()) {
    return;
  }
  journal_->append(recorder.batch());
  recorder.clear();
  if (journal_->wants_rewrite()) {
    rewrite_journal();
  }
}

void Server::rewrite_journal() {
  journal_->rewrite([this](const Journal::Sink& sink) {
    Recorder recorder(sink);
    store_.record_all(recorder);
    recorder.finish();
  });
}

}  // namespace xl::xenstore
