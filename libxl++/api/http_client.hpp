// SPDX-License-Identifier: Apache-2.0
// The client's side of HTTP/1.1 over one unix socket: blocking, small and quick to start, because
// every xl command pays for it. It understands what xld answers (Content-Length and chunked
// bodies), not all of RFC 9112. One thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace xl::api {

struct HttpResponse {
  int status = 0;
  std::string body;
};

// A raw byte stream after 101 Switching Protocols.
struct ByteStream {
  UniqueFd fd;
  std::string early;  // bytes that came together with the response's head
};

// A body that goes on and on, cut into lines. fd() is for poll; then call fill, then take_line
// until it gives nothing.
class LineStream {
 public:
  LineStream(UniqueFd fd, std::string early) : fd_(std::move(fd)), raw_(std::move(early)) {}
  int fd() const { return fd_.get(); }
  Result<bool> fill();  // one read; false: the server ended the stream
  Result<std::optional<std::string>> take_line();
  // After the end: the server said that it was one; else it died, or had to hang up.
  bool ended_well() const { return ended_well_; }

 private:
  Result<void> unchunk();

  UniqueFd fd_;
  std::string raw_;             // as received, not yet unchunked
  std::string text_;            // body bytes, not yet taken
  std::size_t chunk_left_ = 0;  // body bytes (and CR LF) still to come of this chunk
  bool ended_ = false;
  bool ended_well_ = false;
};

class HttpClient {
 public:
  explicit HttpClient(UniqueFd fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }

  // `target` is path and query, already percent-encoded; `body` is JSON or empty.
  Result<HttpResponse> request(std::string_view method, std::string_view target,
                               std::string_view body = {});
  // These take the connection over; a status other than the expected one is left in `refused`.
  Result<std::optional<ByteStream>> upgrade(std::string_view target, HttpResponse& refused,
                                            std::string_view protocol = "xl-console");
  Result<std::optional<LineStream>> stream(std::string_view target, HttpResponse& refused);

 private:
  struct Head {
    int status = 0;
    std::size_t content_length = 0;
    bool chunked = false;
  };
  Result<void> send(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view headers);
  Result<Head> receive_head();
  Result<HttpResponse> receive_body(const Head& head);
  Result<void> receive_more();

  UniqueFd fd_;
  std::string buffer_;  // received, not yet used
};

// A name as one path segment: everything but unreserved characters (RFC 3986) is encoded.
std::string percent_encode(std::string_view text);

}  // namespace xl::api
