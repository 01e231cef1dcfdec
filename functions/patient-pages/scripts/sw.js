// Shows the clinic's notifications. A touch opens the page of the message; the second button the page on
// which they end. Both are pages beside this file, and nothing else is ever opened.
self.addEventListener("push", (event) => {
  const { title, body, tag, lang, open, stop } = event.data.json();
  const actions = [open, stop].map(({ label }, at) => ({ action: at === 0 ? "open" : "stop", title: label }));
  const data = { open: open.url, stop: stop.url };
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, actions, data }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { open, stop } = event.notification.data;
  const url = new URL(event.action === "stop" ? stop : open, self.registration.scope);
  if (url.href.startsWith(self.registration.scope)) {
    event.waitUntil(self.clients.openWindow(url.href));
  }
});
