// Stored messages as a PullResp carries them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "logic/store/rows.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

enum class PageOf : std::uint8_t { kInbox, kOutbox, kGroup };

// Appends the messages. owner: whose inbox or outbox it is. Returns the bytes of contents.
std::size_t append_page(google::protobuf::RepeatedPtrField<client::PullMsg>& out,
                        std::vector<StoredMessage> messages, PageOf box, const std::string& owner);

}  // namespace hongyan::logic
