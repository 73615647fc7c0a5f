// SPDX-License-Identifier: Apache-2.0
// A guest that abuses its xenstore ring for as long as it is let: floods of requests that nobody
// reads the answers of, messages of any bytes, indexes of any value, fresh starts in between.
#include "tests/guests/runtime/events.hpp"

extern "C" {
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>
}

namespace guest {

const char* const guest_name = "storm";

namespace {

xenstore_domain_interface* ring_;
evtchn_port_t port_;
uint32_t seed_ = 1;

uint32_t next_random() {
  seed_ = seed_ * 1664525 + 1013904223;
  return seed_ >> 8;
}

// As much of it as there is room for, whatever becomes of the rest.
void put(const void* bytes, uint32_t length) {
  const char* at = static_cast<const char*>(bytes);
  uint32_t produced = ring_->req_prod;
  while (length-- != 0 && produced - ring_->req_cons < XENSTORE_RING_SIZE) {
    ring_->req[MASK_XENSTORE_IDX(produced++)] = *at++;
  }
  __atomic_store_n(&ring_->req_prod, produced, __ATOMIC_RELEASE);
}

void flood() {
  struct {
    xsd_sockmsg header;
    char payload[12];
  } message{{XS_WRITE, 1, 0, 11}, "data/a\0xxxx"};
  for (int i = 0; i < 200; ++i) {
    message.payload[5] = static_cast<char>('a' + next_random() % 26);
    put(&message, sizeof message.header + message.header.len);
    // Now and then the answers are read, or rather thrown away.
    __atomic_store_n(&ring_->rsp_cons, i % 3 == 0 ? ring_->rsp_cons : ring_->rsp_prod,
                     __ATOMIC_RELEASE);
    send(port_);
  }
}

void garbage() {
  for (int i = 0; i < 50; ++i) {
    const uint32_t word = next_random() % 2 == 0 ? next_random() : next_random() % 32;
    put(&word, sizeof word);
    send(port_);
  }
  if (next_random() % 2 == 0) {
    __atomic_store_n(&ring_->req_prod, next_random(), __ATOMIC_RELEASE);
    __atomic_store_n(&ring_->rsp_cons, next_random(), __ATOMIC_RELEASE);
    send(port_);
  }
}

void start_afresh() {
  __atomic_store_n(&ring_->connection, uint32_t{XENSTORE_RECONNECT}, __ATOMIC_RELEASE);
  send(port_);
  for (int i = 0; i < 1000000 && ring_->connection != XENSTORE_CONNECTED; ++i) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
}

}  // namespace

void guest_main() {
  map_shared_info();
  const auto frame = static_cast<Word>(hvm_param(HVM_PARAM_STORE_PFN));
  ring_ = reinterpret_cast<xenstore_domain_interface*>(frame << 12);
  port_ = static_cast<evtchn_port_t>(hvm_param(HVM_PARAM_STORE_EVTCHN));
  say("READY storm");
  for (;;) {
    flood();
    garbage();
    start_afresh();
  }
}

}  // namespace guest
