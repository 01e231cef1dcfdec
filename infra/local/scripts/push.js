// Lets this browser be told. The page says everything that is read; without script it offers no button.
const box = document.getElementById("alerts-here");
const canBeTold = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

function say(key) {
  box.querySelector("[role=status]").textContent = box.dataset[key];
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    return say("denied");
  }
  await navigator.serviceWorker.register("/sw.js");
  const worker = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: box.dataset.key };
  const subscription = await worker.pushManager.subscribe(options);
  const body = JSON.stringify({ subscription: subscription.toJSON(), name: box.querySelector("input").value });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(box.dataset.action, { method: "POST", headers, body });
  if (!answer.ok) {
    return say("failed");
  }
  location.reload();
}

if (box && canBeTold) {
  box.hidden = false;
  box.querySelector("button").addEventListener("click", () => {
    say("working");
    subscribe().catch(() => say("failed"));
  });
} else if (box) {
  document.getElementById("alerts-not-here").hidden = false;
}
