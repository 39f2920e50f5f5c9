#include "logic/app/work_router.h"

namespace hongyan::logic {

void WorkRouter::completed(std::vector<WriterWorkPtr> batch) {
  std::vector<std::vector<WriterWorkPtr>> by_thread(threads_.size());
  for (auto& work : batch) by_thread[work->worker].push_back(std::move(work));
  for (std::size_t i = 0; i < by_thread.size(); ++i) {
    if (by_thread[i].empty()) continue;
    threads_[i].loop->post([thread = threads_[i].thread, works = std::move(by_thread[i])]() mutable {
      thread->works_finished(std::move(works));
      thread->end_turn();
    });
  }
}

void WorkRouter::uploads_finished(std::vector<UploadWorkPtr> batch) {
  std::vector<std::vector<UploadWorkPtr>> by_thread(threads_.size());
  for (auto& upload : batch) by_thread[upload->worker].push_back(std::move(upload));
  for (std::size_t i = 0; i < by_thread.size(); ++i) {
    if (by_thread[i].empty()) continue;
    threads_[i].loop->post([thread = threads_[i].thread, uploads = std::move(by_thread[i])] {
      thread->uploads_finished(uploads);
      thread->end_turn();
    });
  }
}

}  // namespace hongyan::logic
