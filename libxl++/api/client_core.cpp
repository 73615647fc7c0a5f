// SPDX-License-Identifier: Apache-2.0
// The client's side of core_stream.cpp.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "libxl++/api/client.hpp"
#include "libxl++/api/client_answer.hpp"
#include "libxl++/api/http_text.hpp"
#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/unix_socket.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

using nlohmann::json;

Result<void> send_descriptor(int socket, int fd) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) {
    if (errno != EINTR) {
      return Unexpected(system_error(errno, "passing the file to xld"));
    }
  }
  return {};
}

// True: that was the last line.
Answer<bool> take_line(std::string_view line, const CoreProgress& progress) {
  XL_TRY_ASSIGN(const json value, as_answer(parse_json(line)));
  if (value.contains("error")) {
    XL_TRY_ASSIGN(WireError error, as_answer(from_json<WireError>(value)));
    return Unexpected(std::move(error));
  }
  if (value.contains("done")) {
    return true;
  }
  JsonReader reader(value, "progress");
  std::uint64_t pages = 0;
  std::uint64_t of = 0;
  reader.need("pages", pages);
  reader.need("of", of);
  XL_TRY(reader.check());
  progress(pages, of);
  return false;
}

}  // namespace

Answer<void> Client::dump_core(std::string_view domain, int fd, bool live,
                               std::string_view compression, const CoreProgress& progress) {
  XL_TRY_ASSIGN(UniqueFd connection, connect_unix(dir_.socket()));
  HttpResponse refused;
  const std::string target = "/v1/domains/" + percent_encode(domain) +
                             "/core?live=" + (live ? "true" : "false") +
                             "&compression=" + std::string(compression);
  XL_TRY_ASSIGN(std::optional<ByteStream> stream,
                HttpClient(std::move(connection)).upgrade(target, refused, "xl-core"));
  if (!stream) {
    return Unexpected(error_of(refused));
  }
  XL_TRY(send_descriptor(stream->fd.get(), fd));
  std::string text = std::move(stream->early);
  for (;;) {
    for (std::size_t eol = text.find('\n'); eol != text.npos; eol = text.find('\n')) {
      XL_TRY_ASSIGN(const bool over, take_line(std::string_view(text).substr(0, eol), progress));
      if (over) {
        return {};
      }
      text.erase(0, eol + 1);
    }
    XL_TRY_ASSIGN(const std::size_t got, http_text::receive_into(stream->fd.get(), text));
    if (got == 0) {
      return Unexpected(WireError(make_error(
          ErrorId::daemon_went_away, "xld went away before the file was whole", "call it again")));
    }
  }
}

}  // namespace xl::api
