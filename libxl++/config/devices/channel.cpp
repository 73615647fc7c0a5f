// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/channel.hpp"

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

// What the spec says, before it is known to be complete.
struct ChannelDraft {
  Channel channel;
  std::optional<ChannelConnection> connection;
};

constexpr Choice<ChannelConnection> connections[] = {{"pty", ChannelConnection::pty},
                                                     {"socket", ChannelConnection::socket}};

template <std::string Channel::*Member>
void read_text(const SpecItem& item, ChannelDraft& draft, SpecFindings& findings) {
  if (auto text = read_string(item, findings)) draft.channel.*Member = std::move(*text);
}

void read_connection(const SpecItem& item, ChannelDraft& draft, SpecFindings& findings) {
  if (const auto it = read_choice(*item.value, "a connection", connections, findings)) {
    draft.connection = it;
  }
}

constexpr SpecKey<ChannelDraft> channel_keys[] = {{"name", read_text<&Channel::name>},
                                                  {"connection", read_connection},
                                                  {"path", read_text<&Channel::path>},
                                                  {"backend", read_text<&Channel::backend>}};

}  // namespace

ParsedSpec<Channel> parse_channel(const std::string& spec) {
  SpecFindings findings;
  ChannelDraft draft;
  read_items(std::span(&spec, 1), "a channel", channel_keys, draft, findings);
  Channel& channel = draft.channel;
  // What is wrong already is not called missing as well.
  if (findings.has_errors()) return std::move(findings).finish(Channel());
  if (channel.name.empty()) {
    findings.error({}, "the channel has no name", "write name=org.example.agent.1");
  }
  if (!draft.connection) {
    findings.error({}, "the channel has no connection",
                   "write connection=pty, or connection=socket,path=...");
  } else if (*draft.connection == ChannelConnection::socket && channel.path.empty()) {
    findings.error({}, "the channel's socket has no path", "write path=...");
  } else if (*draft.connection == ChannelConnection::pty && !channel.path.empty()) {
    findings.warning({}, "'path' has no meaning with connection=pty", "remove it");
    channel.path.clear();
  }
  channel.connection = draft.connection.value_or(ChannelConnection::pty);
  return std::move(findings).finish(std::move(channel));
}

}  // namespace xl::config
